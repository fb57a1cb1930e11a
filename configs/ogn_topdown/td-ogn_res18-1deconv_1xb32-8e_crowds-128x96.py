# The demo's network in the whole two-stage system, on generated crowds.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/topdown_resnet.py',
    '../_base_/datasets/generated_crowds.py',
    '../_base_/schedules/adam_8e.py',
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
)

train_pipeline = _base_.train_pipeline
train_pipeline[-2].encoder = codec
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=train_pipeline)))
