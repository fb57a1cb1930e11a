# "Ours (Mask R-CNN)" of Table 5: boxes and keypoints by one network, which was trained
# on PoseTrack's own keypoints.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/ogn_tracker.py',
    '../_base_/datasets/posetrack17_videos.py',
]

model = dict(
    detector=dict(
        config='configs/ogn_mask_rcnn/ogn-mask-rcnn_r101_fpn-rc_8xb2-1x_posetrack17.py'
    ),
)
test_evaluator = dict(joint_mapping=None)
val_cfg = None
