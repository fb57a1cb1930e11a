# The demo: a half-width ResNet-18 learns generated people on a laptop's CPU.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/topdown_resnet.py',
    '../_base_/datasets/generated_people.py',
    '../_base_/schedules/adam_16e.py',
]

codec = dict(type='OffsetHeatmap', input_size=(96, 128), heatmap_size=(6, 8))
model = dict(
    backbone=dict(depth=18, stem_channels=32, base_channels=32, init_cfg=None),
    head=dict(
        type='OffsetHead',
        in_channels=256,
        out_channels=17,
        deconv_out_channels=(128,),
        deconv_kernel_sizes=(4,),
        decoder=codec,
    ),
    test_cfg=dict(flip_test=True),
)

train_pipeline = _base_.train_pipeline
train_pipeline[-2].encoder = codec
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
