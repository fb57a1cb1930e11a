_base_ = './kpt-mask-rcnn_r18-half_fpn_1xb2-1e_generated-crowds-240x320.py'

model = dict(
    roi_head=dict(
        keypoint_head=dict(type='OffsetKeypointHead', score_loss='softmax'),
    ),
)
