# For the laptop: half the input size and 30 epochs.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/topdown_resnet.py',
    '../_base_/datasets/people1k.py',
    '../_base_/schedules/adam_30e.py',
]

codec = dict(
    type='MSRAHeatmap',
    input_size=(96, 128),
    heatmap_size=(12, 16),
    sigma=1,
)
model = dict(
    backbone=dict(depth=18, init_cfg=None),
    head=dict(
        type='HeatmapHead',
        in_channels=512,
        out_channels=17,
        deconv_out_channels=(256, 256),
        deconv_kernel_sizes=(4, 4),
        loss=dict(type='KeypointMSELoss', use_target_weight=True),
        decoder=codec,
    ),
    test_cfg=dict(flip_test=True, flip_mode='heatmap', shift_heatmap=True),
)

train_pipeline = _base_.train_pipeline
train_pipeline[-3].input_size = codec['input_size']
train_pipeline[-2].encoder = codec
val_pipeline = _base_.val_pipeline
val_pipeline[-2].input_size = codec['input_size']
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = val_dataloader
