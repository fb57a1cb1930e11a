_base_ = './ogn-mask-rcnn_r50_fpn-softmax_8xb2-1x_coco.py'

# ROIs of 352x256 (H x W): features of 22x16, maps of 88x64
model = dict(
    roi_head=dict(
        ratio=256 / 352,
        keypoint_roi_extractor=dict(roi_layer=dict(output_size=(22, 16))),
        keypoint_head=dict(roi_feat_size=(22, 16)),
    ),
)
