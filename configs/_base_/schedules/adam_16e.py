# The demo's: short, hence with a higher learning rate than adam_100e.py.
_base_ = './adam_100e.py'
train_cfg = dict(max_epochs=16, val_interval=4)
optim_wrapper = dict(optimizer=dict(lr=2e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=100),
    dict(
        type='MultiStepLR',
        by_epoch=True,
        begin=0,
        end=16,
        milestones=[12, 15],
        gamma=0.1,
    ),
]
