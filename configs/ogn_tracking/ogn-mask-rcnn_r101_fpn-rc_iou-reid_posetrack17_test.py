# Writes the files for the evaluation server, whose annotations are not public.
_base_ = './ogn-mask-rcnn_r101_fpn-rc_iou-reid_posetrack17.py'

ann_dir = 'annotations/test'
test_dataloader = dict(dataset=dict(ann_dir=ann_dir))
test_evaluator = dict(
    gt_dir=_base_.data_root + ann_dir,
    format_only=True,
    outfile_prefix='work_dirs/posetrack17_test_ogn-mask-rcnn_r101_fpn-rc_iou-reid',
)
