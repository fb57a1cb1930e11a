_base_ = [
    './kpt-mask-rcnn_r101_fpn_8xb2-1x_coco.py',
    '../_base_/posetrack18_keypoint_detection.py',
]

load_from = 'work_dirs/kpt-mask-rcnn_r101_fpn_8xb2-1x_coco/epoch_12.pth'
model = _base_.posetrack_model
train_dataloader = _base_.posetrack_train
val_dataloader = _base_.posetrack_val
test_dataloader = _base_.posetrack_val
val_evaluator = _base_.posetrack_evaluators
test_evaluator = _base_.posetrack_evaluators
optim_wrapper = _base_.posetrack_optim_wrapper
custom_hooks = [*_base_.custom_hooks, _base_.posetrack_hook]
