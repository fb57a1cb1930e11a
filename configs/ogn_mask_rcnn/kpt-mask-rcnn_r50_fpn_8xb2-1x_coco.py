_base_ = [
    '../_base_/models/keypoint_mask_rcnn.py',
    '../_base_/datasets/coco_keypoint_detection.py',
    'mmdet::_base_/schedules/schedule_1x.py',
    'mmdet::_base_/default_runtime.py',
    '../_base_/mmdet_runtime.py',
]

default_hooks = dict(checkpoint=dict(_base_.checkpoint_hook, save_best='coco/AP'))
visualizer = dict(type='KeypointDetectionVisualizer')
