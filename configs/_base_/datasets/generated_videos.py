# Generated videos (tools/dataset_tools/generate_videos.py), frame by frame in their
# order, for testing trackers.
data_root = 'data/generated_videos/'
ann_dir = 'annotations/val'

test_dataloader = dict(
    batch_size=1,
    # a worker reads frames while the network is busy with those before
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='VideoSampler'),
    dataset=dict(
        type='PoseTrackVideoDataset',
        data_root=data_root,
        ann_dir=ann_dir,
        test_mode=True,
    ),
)
test_evaluator = dict(type='PoseTrackMetric', gt_dir=data_root + ann_dir)
