# The demo's version of adam_100e.py.
_base_ = './adam_100e.py'
train_cfg = dict(max_epochs=20, val_interval=5)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=100),
    dict(
        type='MultiStepLR',
        by_epoch=True,
        begin=0,
        end=20,
        milestones=[16, 19],
        gamma=0.1,
    ),
]
