# As long as adam_16e.py, counted in the longer epochs of ROI sampling.
_base_ = './adam_16e.py'
train_cfg = dict(max_epochs=8, val_interval=4)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=100),
    dict(
        type='MultiStepLR',
        by_epoch=True,
        begin=0,
        end=8,
        milestones=[6, 7],
        gamma=0.1,
    ),
]
auto_scale_lr = dict(base_batch_size=8)  # images, of 4 people each
