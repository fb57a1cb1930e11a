# People of PoseTrack 2018 for fine-tuning a network with COCO's joints: they train the
# 13 joints that are labelled in both, and the rest stays as COCO left it.
_base_ = './coco_keypoints.py'

shared = [(k, k) for k in (0, *range(5, 17))]
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='CombinedDataset',
        metainfo=dict(from_file='configs/_base_/datasets/coco.py'),
        datasets=[
            dict(
                type='ValidatedCocoDataset',
                data_root='data/posetrack18/',
                metainfo=dict(from_file='configs/_base_/datasets/posetrack18.py'),
                ann_file='annotations/posetrack18_train.json',
                data_prefix=dict(img=''),
                pipeline=[
                    dict(type='KeypointConverter', num_keypoints=17, mapping=shared)
                ],
            )
        ],
        pipeline=_base_.train_pipeline,
    )
)
