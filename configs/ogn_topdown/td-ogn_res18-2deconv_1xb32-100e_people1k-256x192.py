# For one GPU: ResNet-18 from scratch on 700 photographs of one person each.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/topdown_resnet.py',
    '../_base_/datasets/people1k.py',
    '../_base_/schedules/adam_100e.py',
]

codec = dict(type='OffsetHeatmap', input_size=(192, 256), heatmap_size=(24, 32))
model = dict(
    backbone=dict(depth=18, init_cfg=None),
    head=dict(
        type='OffsetHead',
        in_channels=512,
        out_channels=17,
        deconv_out_channels=(256, 256),
        deconv_kernel_sizes=(4, 4),
        decoder=codec,
    ),
    test_cfg=dict(flip_test=True),
)

train_pipeline = _base_.train_pipeline
train_pipeline[-2].encoder = codec
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
