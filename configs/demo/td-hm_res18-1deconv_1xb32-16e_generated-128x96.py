# The demo's twin without offsets: the same network, its best codec at stride 16.
_base_ = './td-ogn_res18-1deconv_1xb32-16e_generated-128x96.py'

codec = dict(
    type='MSRAHeatmap',
    input_size=(96, 128),
    heatmap_size=(6, 8),
    sigma=0.75,
    unbiased=True,
)
model = dict(
    head=dict(
        type='HeatmapHead',
        loss=dict(type='KeypointMSELoss', use_target_weight=True),
        decoder=codec,
    ),
    test_cfg=dict(flip_test=True, flip_mode='heatmap', shift_heatmap=True),
)

train_pipeline = _base_.train_pipeline
train_pipeline[-2].encoder = codec
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
