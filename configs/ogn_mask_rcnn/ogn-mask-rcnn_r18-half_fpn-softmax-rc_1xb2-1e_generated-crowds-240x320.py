_base_ = './ogn-mask-rcnn_r18-half_fpn-softmax_1xb2-1e_generated-crowds-240x320.py'

# ROIs of 352x256 (H x W) as at full size: features of 11x8, maps of 44x32.
# finest_scale: a side has 1.34 times the samples of 7x7, so a ROI may be 1.34 times as
# large as the default 56 before its features come from the pyramid's next level.
model = dict(
    roi_head=dict(
        ratio=256 / 352,
        keypoint_roi_extractor=dict(
            finest_scale=75, roi_layer=dict(output_size=(11, 8))
        ),
        keypoint_head=dict(roi_feat_size=(11, 8)),
    ),
)
