# Generated people (tools/dataset_tools/generate_people.py), boxes and keypoints
# together, for detectors of MMDetection.
_base_ = './coco_keypoint_detection.py'

data_root = 'data/generated_people/'
train_pipeline = _base_.train_pipeline
test_pipeline = _base_.test_pipeline
# 320x240 is the generator's size; other images are brought to it
train_pipeline[3] = dict(
    type='RandomChoiceResize',
    scales=[(320, side) for side in range(192, 241, 16)],
    keep_ratio=True,
)
test_pipeline[1].scale = (320, 240)

train_dataloader = dict(
    batch_size=4,
    num_workers=1,
    drop_last=True,
    batch_sampler=None,
    dataset=dict(
        data_root=data_root,
        ann_file='annotations/train.json',
        data_prefix=dict(img='images/train/'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        data_root=data_root,
        ann_file='annotations/val.json',
        data_prefix=dict(img='images/val/'),
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
ann_file = data_root + 'annotations/val.json'
val_evaluator = _base_.val_evaluator
val_evaluator[0].ann_file = ann_file
val_evaluator[1].ann_file = ann_file
test_evaluator = val_evaluator
