# The extended Mask R-CNN of Table 3: row c, whose boxes and poses of COCO test-dev2017
# are written for the evaluation server.
_base_ = './ogn-mask-rcnn_r101_fpn-rc_8xb2-1x_coco.py'

test_dev = 'annotations/image_info_test-dev2017.json'
server = dict(
    ann_file=_base_.data_root + test_dev,
    format_only=True,
    outfile_prefix='work_dirs/person_test-dev2017_ogn-mask-rcnn_results',
)
test_dataloader = dict(
    dataset=dict(ann_file=test_dev, data_prefix=dict(img='test2017/'))
)
test_evaluator = [
    dict(type='CocoMetric', metric='bbox', **server),
    dict(type='mmpose.KeypointDetectionMetric', **server),
]
