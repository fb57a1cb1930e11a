# Schedule of the OGN paper (section 4.1): SGD 0.02 at a batch of 64, 22 epochs,
# x0.1 at the 17th and the 21st. Momentum, weight decay and warm-up are not in
# the paper; they are the usual ones of MMDetection.
train_cfg = dict(by_epoch=True, max_epochs=22, val_interval=1)
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.02, momentum=0.9, weight_decay=0.0001)
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(
        type='MultiStepLR',
        by_epoch=True,
        begin=0,
        end=22,
        milestones=[17, 21],
        gamma=0.1,
    ),
]
auto_scale_lr = dict(base_batch_size=16)  # images, of 4 people each
