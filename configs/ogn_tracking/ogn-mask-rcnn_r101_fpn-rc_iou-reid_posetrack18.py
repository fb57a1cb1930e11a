_base_ = './ogn-mask-rcnn_r101_fpn-rc_iou-reid_posetrack17.py'

model = dict(
    detector=dict(
        config='configs/ogn_mask_rcnn/ogn-mask-rcnn_r101_fpn-rc_8xb2-1x_posetrack18.py'
    ),
)
data_root = 'data/posetrack18/'
test_dataloader = dict(dataset=dict(data_root=data_root))
test_evaluator = dict(gt_dir=data_root + _base_.ann_dir)
