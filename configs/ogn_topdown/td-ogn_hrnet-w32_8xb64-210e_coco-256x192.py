# OGN on HRNet-W32: MMPose's recipe with our codec and head, stride 4.
_base_ = (
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_hrnet-w32_8xb64-210e_coco-256x192.py'
)
custom_imports = dict(imports=['ogn_mm'], allow_failed_imports=False)

ogn_codec = dict(type='OffsetHeatmap', input_size=(192, 256), heatmap_size=(48, 64))
codec = dict(_delete_=True, **ogn_codec)
model = dict(
    head=dict(
        _delete_=True,
        type='OffsetHead',
        in_channels=32,
        out_channels=17,
        deconv_out_channels=None,
        deconv_kernel_sizes=None,
        decoder=ogn_codec,
    ),
    test_cfg=dict(shift_heatmap=False),
)
visualizer = dict(type='ArrayRadiusVisualizer')

train_pipeline = _base_.train_pipeline
train_pipeline[-2].encoder = ogn_codec
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
