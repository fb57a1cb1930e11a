# MMDetection's recipe and weights; in testing the person alone is picked.
_base_ = [
    'mmdet::mask_rcnn/mask-rcnn_r50_fpn_ms-poly-3x_coco.py',
    '../_base_/mmdet_runtime.py',
    '../_base_/person_boxes.py',
]

model = dict(
    rpn_head=dict(type='BoxFilterRPNHead'),
    roi_head=dict(bbox_head=dict(type='PersonBBoxHead')),
)

default_hooks = dict(checkpoint=_base_.checkpoint_hook)
val_dataloader = _base_.person_dataloader
test_dataloader = _base_.person_dataloader
