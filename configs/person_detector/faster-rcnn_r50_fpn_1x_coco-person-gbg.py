_base_ = './faster-rcnn_r50_fpn_1x_coco-person.py'

model = dict(test_cfg=_base_.gbg_test_cfg)
