_base_ = './ogn-mask-rcnn_r50_fpn-softmax-rc_8xb2-1x_coco.py'

# The weight makes up for a loss that is small beside the boxes'.
model = dict(
    roi_head=dict(keypoint_head=dict(score_loss='smooth_l1', loss_weight=10.0))
)
