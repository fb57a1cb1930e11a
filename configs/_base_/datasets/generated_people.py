# Generated people (tools/dataset_tools/generate_people.py) at 128x96, for where
# there are no photographs; ground-truth boxes.
_base_ = './people1k.py'

data_root = 'data/generated_people/'
train_pipeline = _base_.train_pipeline
train_pipeline[4] = dict(type='RandomBBoxScaleRotate')
train_pipeline[-3].input_size = (96, 128)
val_pipeline = _base_.val_pipeline
val_pipeline[-2].input_size = (96, 128)

train_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        data_prefix=dict(img='images/train/'),
        pipeline=train_pipeline,
    )
)
val_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        data_prefix=dict(img='images/val/'),
        pipeline=val_pipeline,
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'annotations/val.json')
test_evaluator = val_evaluator
