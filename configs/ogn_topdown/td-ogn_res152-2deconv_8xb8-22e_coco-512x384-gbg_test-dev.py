# The single model of Table 2: row l of Table 1, whose poses of COCO test-dev2017 are
# written for the evaluation server.
_base_ = './td-ogn_res152-2deconv_8xb8-22e_coco-512x384-gbg.py'

test_dev = 'annotations/image_info_test-dev2017.json'
test_dataloader = dict(
    dataset=dict(
        ann_file=test_dev,
        bbox_file=_base_.detections + 'raw_test-dev2017.json',
        data_prefix=dict(img='test2017/'),
    )
)
test_evaluator = dict(
    ann_file=_base_.data_root + test_dev,
    format_only=True,
    outfile_prefix='work_dirs/person_keypoints_test-dev2017_ogn_results',
)
