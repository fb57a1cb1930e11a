# The paper's recipe on generated crowds, with the boxes of the laptop's detector (see
# configs/person_detector).
_base_ = './coco_mixed_boxes.py'

# The best 100 boxes of an image, as in MMDetection: GBG would keep 280.
nms = dict(max_num=100)
gbg = dict(max_num=100)
data_root = 'data/generated_crowds/'
train_pipeline = _base_.train_pipeline
train_pipeline[-3].input_size = (96, 128)
val_pipeline = _base_.val_pipeline
val_pipeline[-2].input_size = (96, 128)

train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    sampler=dict(batch_size=8),
    dataset=dict(
        dataset=dict(
            data_root=data_root,
            ann_file='annotations/train.json',
            detection_file=data_root + 'detections/gbg_train.json',
            data_prefix=dict(img='images/train/'),
            pipeline=train_pipeline,
        ),
    ),
)
val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        data_root=data_root,
        ann_file='annotations/val.json',
        bbox_file=data_root + 'detections/raw_val.json',
        bbox_filter=nms,
        data_prefix=dict(img='images/val/'),
        pipeline=val_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'annotations/val.json')
test_evaluator = val_evaluator
