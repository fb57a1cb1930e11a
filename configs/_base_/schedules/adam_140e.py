# Schedule of Simple Baselines (MSRA, Xiao et al. 2018): Adam 1e-3 at a batch of
# 128, 140 epochs, x0.1 at epochs 90 and 120.
train_cfg = dict(by_epoch=True, max_epochs=140, val_interval=10)
optim_wrapper = dict(optimizer=dict(type='Adam', lr=1e-3))
param_scheduler = [
    dict(
        type='MultiStepLR',
        by_epoch=True,
        begin=0,
        end=140,
        milestones=[90, 120],
        gamma=0.1,
    ),
]
auto_scale_lr = dict(base_batch_size=128)
