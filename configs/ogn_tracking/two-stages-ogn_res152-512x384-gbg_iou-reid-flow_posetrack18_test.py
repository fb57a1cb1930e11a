# Writes the files for the evaluation server, whose annotations are not public.
_base_ = './two-stages-ogn_res152-512x384-gbg_iou-reid-flow_posetrack18.py'

ann_dir = 'annotations/test'
test_dataloader = dict(dataset=dict(ann_dir=ann_dir))
test_evaluator = dict(
    gt_dir=_base_.data_root + ann_dir,
    format_only=True,
    outfile_prefix='work_dirs/posetrack18_test_two-stages-ogn_res152-512x384-gbg_iou-reid-flow',
)
