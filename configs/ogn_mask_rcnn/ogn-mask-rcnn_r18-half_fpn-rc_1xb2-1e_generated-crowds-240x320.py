_base_ = './ogn-mask-rcnn_r18-half_fpn-softmax-rc_1xb2-1e_generated-crowds-240x320.py'

model = dict(roi_head=dict(keypoint_head=dict(score_loss='smooth_l1')))
