# For small data sets on one GPU, from scratch: Adam 5e-4 at a batch of 32.
train_cfg = dict(by_epoch=True, max_epochs=100, val_interval=10)
optim_wrapper = dict(optimizer=dict(type='Adam', lr=5e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=100),
    dict(
        type='MultiStepLR',
        by_epoch=True,
        begin=0,
        end=100,
        milestones=[80, 95],
        gamma=0.1,
    ),
]
auto_scale_lr = dict(base_batch_size=32)
