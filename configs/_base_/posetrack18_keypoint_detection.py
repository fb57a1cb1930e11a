# What a keypoint detector's recipe for COCO needs on PoseTrack 2018, converted to COCO's
# format by tools/dataset_tools/convert_posetrack.py. Of the 17 keypoints the ears are
# never labelled: they neither learn nor count.
_base_ = './posetrack_ignore_regions.py'

posetrack = dict(
    data_root='data/posetrack18/',
    data_prefix=dict(img=''),
    metainfo=dict(from_file='configs/_base_/datasets/posetrack18.py'),
)
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
# The network has learnt people on COCO; its head's channels go where their keypoints are.
posetrack_hook = dict(type='mmpose.MapKeypointsHook')
posetrack_optim_wrapper = dict(optimizer=dict(lr=0.002))
