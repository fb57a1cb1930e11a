# The head of MMPose's RTMPose, on the schedule of its neighbours here.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/topdown_rtmcc_resnet.py',
    '../_base_/datasets/people1k.py',
    '../_base_/schedules/adam_100e.py',
]

codec = dict(
    type='SimCCLabel',
    input_size=(192, 256),
    sigma=(4.9, 5.66),
    simcc_split_ratio=2.0,
    normalize=False,
    use_dark=False,
)
model = dict(
    backbone=dict(depth=18, init_cfg=None),
    head=dict(
        in_channels=512,
        out_channels=17,
        input_size=codec['input_size'],
        in_featuremap_size=(6, 8),
        decoder=codec,
    ),
)

train_pipeline = _base_.train_pipeline
train_pipeline[-2].encoder = codec
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
