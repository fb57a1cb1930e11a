_base_ = './mask-rcnn_r50_fpn_ms-poly-3x_coco-person.py'

model = dict(test_cfg=_base_.gbg_test_cfg, roi_head=_base_.no_masks)
val_evaluator = dict(metric='bbox')
test_evaluator = val_evaluator
