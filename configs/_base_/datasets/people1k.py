# people1k: 800 photographs of one person each in COCO format, 700 to train and
# 100 to test; ground-truth boxes.
_base_ = './coco_keypoints.py'

data_root = 'data/people1k/'
train_pipeline = _base_.train_pipeline
train_pipeline[4] = dict(type='RandomBBoxTransform')  # stronger, for little data
train_dataloader = dict(
    batch_size=32,
    num_workers=2,
    drop_last=True,
    dataset=dict(
        data_root=data_root,
        ann_file='annotations/train.json',
        data_prefix=dict(img='images/'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    num_workers=2,
    dataset=dict(
        data_root=data_root,
        ann_file='annotations/val.json',
        bbox_file=None,
        data_prefix=dict(img='images/'),
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'annotations/val.json')
test_evaluator = val_evaluator
