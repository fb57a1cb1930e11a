# As on PoseTrack 2017, with the files of 2018.
_base_ = './posetrack17_keypoint_detection.py'

posetrack = dict(data_root='data/posetrack18/')
posetrack_train = dict(
    dataset=dict(ann_file='annotations/posetrack18_train.json', **posetrack)
)
posetrack_val = dict(
    dataset=dict(ann_file='annotations/posetrack18_val.json', **posetrack)
)
posetrack_ann_file = 'data/posetrack18/annotations/posetrack18_val.json'
posetrack_evaluators = [
    dict(type='CocoMetric', ann_file=posetrack_ann_file, metric='bbox'),
    dict(type='mmpose.KeypointDetectionMetric', ann_file=posetrack_ann_file),
]
