# People of PoseTrack 2017, with the 17 joints of 2018.
_base_ = './posetrack18_keypoints.py'

data_root = 'data/posetrack17/'
train_dataloader = dict(
    dataset=dict(data_root=data_root, ann_file='annotations/posetrack17_train.json')
)
val_dataloader = dict(
    dataset=dict(data_root=data_root, ann_file='annotations/posetrack17_val.json')
)
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'annotations/posetrack17_val.json')
test_evaluator = val_evaluator
