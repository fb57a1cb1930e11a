_base_ = './ogn-mask-rcnn_r18-half_fpn-softmax-rc_1xb2-1e_generated-crowds-240x320.py'

# The weight makes up for a loss that is small beside the boxes'.
model = dict(
    roi_head=dict(keypoint_head=dict(score_loss='smooth_l1', loss_weight=10.0))
)
