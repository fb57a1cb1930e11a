# COCO 2017 people, boxes and keypoints together, for detectors of MMDetection. The
# short side is 640 to 800 pixels in training, 800 in testing.
dataset_type = 'CocoKeypointDetectionDataset'
data_root = 'data/coco/'

train_pipeline = [
    dict(type='mmpose.SeedAugmentation'),
    dict(type='LoadImageFromFile'),
    dict(type='LoadKeypointAnnotations'),
    dict(
        type='RandomChoiceResize',
        scales=[(1333, side) for side in range(640, 801, 32)],
        keep_ratio=True,
    ),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackKeypointInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(1333, 800), keep_ratio=True),
    # after Resize: boxes and keypoints in the original image, to be drawn
    dict(type='LoadKeypointAnnotations'),
    dict(
        type='PackKeypointInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'),
    ),
]
train_dataloader = dict(
    batch_size=2,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    batch_sampler=dict(type='AspectRatioBatchSampler'),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/person_keypoints_train2017.json',
        data_prefix=dict(img='train2017/'),
        filter_cfg=dict(filter_empty_gt=True, min_size=32),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/person_keypoints_val2017.json',
        data_prefix=dict(img='val2017/'),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader

# AP of boxes and keypoints
ann_file = data_root + 'annotations/person_keypoints_val2017.json'
val_evaluator = [
    dict(type='CocoMetric', ann_file=ann_file, metric='bbox'),
    dict(type='mmpose.KeypointDetectionMetric', ann_file=ann_file),
]
test_evaluator = val_evaluator
