# "Ours (Mask R-CNN)" of Table 5: boxes and keypoints by one network.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/ogn_tracker.py',
    '../_base_/datasets/posetrack17_videos.py',
]

model = dict(
    detector=dict(
        config='configs/ogn_mask_rcnn/ogn-mask-rcnn_r101_fpn-rc_8xb2-1x_coco.py'
    ),
)
val_cfg = None
