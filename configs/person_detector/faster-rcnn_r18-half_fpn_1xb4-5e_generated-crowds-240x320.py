# A detector for a laptop's CPU.
_base_ = [
    '../_base_/models/faster_rcnn_r18_half.py',
    'mmdet::_base_/default_runtime.py',
    '../_base_/mmdet_runtime.py',
    '../_base_/person_boxes.py',
    '../_base_/datasets/generated_crowds_detection.py',
]

default_hooks = dict(checkpoint=_base_.checkpoint_hook)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=5, val_interval=5)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.01),
    clip_grad=dict(max_norm=10),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(
        type='MultiStepLR',
        by_epoch=True,
        begin=0,
        end=5,
        milestones=[4],
        gamma=0.1,
    ),
]
auto_scale_lr = dict(enable=False, base_batch_size=4)
