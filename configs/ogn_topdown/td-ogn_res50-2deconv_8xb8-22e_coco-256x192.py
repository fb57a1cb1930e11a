# The two-stage offset-guided network on COCO, the recipe of the paper (section 4.1).
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/topdown_resnet.py',
    '../_base_/datasets/coco_mixed_boxes.py',
    '../_base_/schedules/sgd_22e.py',
]

codec = dict(type='OffsetHeatmap', input_size=(192, 256), heatmap_size=(24, 32))
model = dict(
    head=dict(
        type='OffsetHead',
        in_channels=2048,
        out_channels=17,
        deconv_out_channels=(256, 256),
        deconv_kernel_sizes=(4, 4),
        decoder=codec,
    ),
)

train_pipeline = _base_.train_pipeline
train_pipeline[-2].encoder = codec
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=train_pipeline)))
