# Begins with all of MMPose's SimpleBaseline: backbone, three deconvolutions and the
# layer of heatmaps. The offset layer alone is new.
_base_ = './td-ogn_res50-2deconv_8xb8-22e_coco-256x192.py'

load_from = (
    'https://download.openmmlab.com/mmpose/v1/body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_res50_8xb64-210e_coco-256x192-04af38ce_20220923.pth'
)
codec = dict(type='OffsetHeatmap', input_size=(192, 256), heatmap_size=(48, 64))
model = dict(
    backbone=dict(init_cfg=None),
    head=dict(
        deconv_out_channels=(256, 256, 256),
        deconv_kernel_sizes=(4, 4, 4),
        decoder=codec,
    ),
)

train_pipeline = _base_.train_pipeline
train_pipeline[-2].encoder = codec
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=train_pipeline)))
