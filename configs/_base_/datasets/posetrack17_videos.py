# PoseTrack 2017's videos for validation: every frame, whole videos in frame order. The
# folders are those of the official release.
data_root = 'data/posetrack17/'
ann_dir = 'annotations/val'

test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='VideoSampler'),
    dataset=dict(type='PoseTrackVideoDataset', data_root=data_root, ann_dir=ann_dir),
)
# Networks have COCO's keypoints. Joints and tracks of little evidence cost MOTA; both
# thresholds are ours.
test_evaluator = dict(
    type='PoseTrackMetric',
    gt_dir=data_root + ann_dir,
    joint_mapping='ogn_mm.structures.keypoint.coco_to_posetrack',
    keypoint_thr=0.2,
    min_track_length=3,
)
