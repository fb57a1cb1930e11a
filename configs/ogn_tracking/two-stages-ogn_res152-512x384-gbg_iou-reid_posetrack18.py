_base_ = './two-stages-ogn_res152-512x384-gbg_iou-reid_posetrack17.py'

data_root = 'data/posetrack18/'
test_dataloader = dict(dataset=dict(data_root=data_root))
test_evaluator = dict(gt_dir=data_root + _base_.ann_dir)
