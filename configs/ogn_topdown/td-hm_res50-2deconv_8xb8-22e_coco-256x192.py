# The twin without offsets under the recipe of the OGN paper.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/topdown_resnet.py',
    '../_base_/datasets/coco_mixed_boxes.py',
    '../_base_/schedules/sgd_22e.py',
]

codec = dict(
    type='MSRAHeatmap',
    input_size=(192, 256),
    heatmap_size=(24, 32),
    sigma=1,
)
model = dict(
    head=dict(
        type='HeatmapHead',
        in_channels=2048,
        out_channels=17,
        deconv_out_channels=(256, 256),
        deconv_kernel_sizes=(4, 4),
        loss=dict(type='KeypointMSELoss', use_target_weight=True),
        decoder=codec,
    ),
)

train_pipeline = _base_.train_pipeline
train_pipeline[-2].encoder = codec
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=train_pipeline)))
