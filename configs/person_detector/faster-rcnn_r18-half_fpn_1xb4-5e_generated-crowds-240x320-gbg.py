_base_ = './faster-rcnn_r18-half_fpn_1xb4-5e_generated-crowds-240x320.py'

model = dict(test_cfg=_base_.gbg_test_cfg)
