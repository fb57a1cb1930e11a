# Row c's recipe on CrowdPose: 14 keypoints, prepared as for MMPose.
_base_ = './td-ogn_res50-2deconv_8xb8-22e_coco-256x192.py'

data_root = 'data/crowdpose/'
crowdpose = dict(
    data_root=data_root,
    metainfo=dict(from_file='configs/_base_/datasets/crowdpose.py'),
    data_prefix=dict(img='images/'),
    needs_area=False,
)
model = dict(head=dict(out_channels=14))
train_dataloader = dict(
    dataset=dict(
        dataset=dict(
            ann_file='annotations/mmpose_crowdpose_trainval.json',
            detection_file=data_root + 'detections/gbg_trainval.json',
            **crowdpose,
        )
    )
)
val_dataloader = dict(
    dataset=dict(
        ann_file='annotations/mmpose_crowdpose_test.json',
        bbox_file=data_root + 'detections/raw_test.json',
        **crowdpose,
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(
    ann_file=data_root + 'annotations/mmpose_crowdpose_test.json',
    use_area=False,
    iou_type='keypoints_crowd',
    prefix='crowdpose',
)
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(save_best='crowdpose/AP'))
