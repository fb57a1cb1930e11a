# People of PoseTrack 2018 at 256x192, for training the second stage; ground-truth boxes.
# The files are made by tools/dataset_tools/convert_posetrack.py. Validation is by OKS,
# on single frames; tracking is tested on videos.
#
# No file here may be called posetrack18.py: MMPose would take it for its own of this
# name, which describes the skeleton.
_base_ = './coco_keypoints.py'

data_root = 'data/posetrack18/'
skeleton = dict(from_file='configs/_base_/datasets/posetrack18.py')

train_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        metainfo=skeleton,
        ann_file='annotations/posetrack18_train.json',
        data_prefix=dict(img=''),
    )
)
val_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        metainfo=skeleton,
        ann_file='annotations/posetrack18_val.json',
        bbox_file=None,
        data_prefix=dict(img=''),
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'annotations/posetrack18_val.json')
test_evaluator = val_evaluator
