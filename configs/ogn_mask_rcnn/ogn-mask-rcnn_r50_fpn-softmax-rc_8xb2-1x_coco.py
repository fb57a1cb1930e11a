_base_ = './ogn-mask-rcnn_r50_fpn-softmax_8xb2-1x_coco.py'

# ROIs of 352x256 (H x W): features of 22x16, maps of 88x64.
# finest_scale: a side has 1.34 times the samples of 14x14, so a ROI may be 1.34 times as
# large as the default 56 before its features come from the pyramid's next level.
model = dict(
    roi_head=dict(
        ratio=256 / 352,
        keypoint_roi_extractor=dict(
            finest_scale=75, roi_layer=dict(output_size=(22, 16))
        ),
        keypoint_head=dict(roi_feat_size=(22, 16)),
    ),
)
