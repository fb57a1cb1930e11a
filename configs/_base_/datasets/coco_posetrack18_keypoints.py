# People of COCO and PoseTrack 2018 together, for a network with PoseTrack's joints.
# COCO's people train the joints that both have, and the ears, which PoseTrack never
# labels; PoseTrack's train the head's top and bottom as well.
_base_ = './posetrack18_keypoints.py'

# the same index in both: all but COCO's eyes
shared = [(k, k) for k in (0, *range(3, 17))]
coco_people = dict(
    type='ValidatedCocoDataset',
    data_root='data/coco/',
    ann_file='annotations/person_keypoints_train2017.json',
    data_prefix=dict(img='train2017/'),
    pipeline=[dict(type='KeypointConverter', num_keypoints=17, mapping=shared)],
)
posetrack_people = dict(_base_.train_dataloader.dataset, pipeline=[])

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='CombinedDataset',
        metainfo=_base_.skeleton,
        datasets=[coco_people, posetrack_people],
        pipeline=_base_.train_pipeline,
    )
)
