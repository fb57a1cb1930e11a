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
test_evaluator = dict(type='PoseTrackMetric', gt_dir=data_root + ann_dir)
