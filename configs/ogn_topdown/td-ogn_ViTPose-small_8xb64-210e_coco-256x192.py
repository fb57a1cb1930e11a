# OGN on ViTPose-S: MMPose's recipe with our codec and head, stride 4, and a crop
# that keeps pixel centres at integers (no UDP).
_base_ = (
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_ViTPose-small_8xb64-210e_coco-256x192.py'
)
custom_imports = dict(
    imports=['ogn_mm', 'mmpose.engine.optim_wrappers.layer_decay_optim_wrapper'],
    allow_failed_imports=False,
)

ogn_codec = dict(type='OffsetHeatmap', input_size=(192, 256), heatmap_size=(48, 64))
codec = dict(_delete_=True, **ogn_codec)
model = dict(
    head=dict(
        _delete_=True,
        type='OffsetHead',
        in_channels=384,
        out_channels=17,
        deconv_out_channels=(256, 256),
        deconv_kernel_sizes=(4, 4),
        decoder=ogn_codec,
    ),
)
visualizer = dict(type='ArrayRadiusVisualizer')

train_pipeline = _base_.train_pipeline
train_pipeline[-3].use_udp = False
train_pipeline[-2].encoder = ogn_codec
val_pipeline = _base_.val_pipeline
val_pipeline[-2].use_udp = False
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = val_dataloader
