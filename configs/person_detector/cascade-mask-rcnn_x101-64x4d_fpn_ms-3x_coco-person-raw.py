_base_ = './cascade-mask-rcnn_x101-64x4d_fpn_ms-3x_coco-person.py'

model = dict(test_cfg=_base_.raw_test_cfg, roi_head=_base_.no_masks)
val_evaluator = dict(metric='bbox')
test_evaluator = val_evaluator
