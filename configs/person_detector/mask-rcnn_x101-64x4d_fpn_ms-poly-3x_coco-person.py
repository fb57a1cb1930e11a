# The strongest Mask R-CNN with a plain backbone in MMDetection's model zoo.
_base_ = [
    'mmdet::mask_rcnn/mask-rcnn_x101-64x4d_fpn_ms-poly_3x_coco.py',
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
