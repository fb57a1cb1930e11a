# What a tracker does by itself: annotations of generated videos stand in for networks.
# tools/run_tracking_study.py varies cues and detections.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/generated_videos.py',
]

model = dict(
    type='VideoPoseOracle',
    metainfo=dict(from_file='configs/_base_/datasets/posetrack18.py'),
    # nobody who is annotated is left out because of somebody else's box
    pose_nms_cfg=dict(oks_thr=0.75, iou_thr=1.0),
    tracker=dict(
        type='PoseTracker',
        cues=[dict(type='BoxIoU')],
        match_thr=0.3,
        score_thr=0.2,
        birth_score=0.4,
        max_gap=10,
    ),
)
# joints without a label are no part of an annotated pose
test_evaluator = dict(keypoint_thr=0.2)
val_cfg = None
