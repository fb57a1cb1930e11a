# Generated people who overlap each other, boxes and keypoints together:
#   python tools/dataset_tools/generate_people.py --out data/generated_crowds \
#       --num-train 1500 --max-people 8 --max-overlap 0.8
_base_ = './generated_keypoint_detection.py'

data_root = 'data/generated_crowds/'
train_pipeline = _base_.train_pipeline
train_pipeline[3] = dict(type='Resize', scale=(320, 240), keep_ratio=True)
ann_file = data_root + 'annotations/val.json'

train_dataloader = dict(dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))
val_evaluator = _base_.val_evaluator
val_evaluator[0].ann_file = ann_file
val_evaluator[1].ann_file = ann_file
test_evaluator = val_evaluator
