# People of generated videos (tools/dataset_tools/generate_videos.py) at 128x96 with
# PoseTrack's joints, frame by frame; ground-truth boxes.
_base_ = './generated_people.py'

data_root = 'data/generated_videos/'
skeleton = dict(from_file='configs/_base_/datasets/posetrack18.py')
train_dataloader = dict(
    dataset=dict(data_root=data_root, metainfo=skeleton, data_prefix=dict(img=''))
)
val_dataloader = dict(
    dataset=dict(data_root=data_root, metainfo=skeleton, data_prefix=dict(img=''))
)
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'annotations/val.json')
test_evaluator = val_evaluator
