# The last of the cascade's three heads picks the person from their averaged scores.
_base_ = [
    'mmdet::cascade_rcnn/cascade-mask-rcnn_x101-64x4d_fpn_ms-3x_coco.py',
    '../_base_/mmdet_runtime.py',
    '../_base_/person_boxes.py',
]

bbox_heads = _base_.model.roi_head.bbox_head
bbox_heads[-1].type = 'PersonBBoxHead'
model = dict(
    rpn_head=dict(type='BoxFilterRPNHead'),
    roi_head=dict(bbox_head=bbox_heads),
)

default_hooks = dict(checkpoint=_base_.checkpoint_hook)
val_dataloader = _base_.person_dataloader
test_dataloader = _base_.person_dataloader
