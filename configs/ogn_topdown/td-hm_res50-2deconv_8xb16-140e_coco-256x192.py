# Simple Baselines (MSRA) with two deconvolutions and its own recipe: 140 epochs of
# Adam, rotation +-40 degrees, scale 0.7 to 1.3, flip test.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/topdown_resnet.py',
    '../_base_/datasets/coco_keypoints.py',
    '../_base_/schedules/adam_140e.py',
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
    test_cfg=dict(flip_test=True, flip_mode='heatmap', shift_heatmap=True),
)

train_pipeline = _base_.train_pipeline
train_pipeline[4] = dict(
    type='RandomBBoxTransform',
    shift_prob=0.0,
    scale_factor=(0.7, 1.3),
    rotate_factor=40.0,
)
train_pipeline[-2].encoder = codec
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=train_pipeline))
