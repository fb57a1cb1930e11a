_base_ = './kpt-mask-rcnn_r50_fpn_8xb2-1x_coco.py'

model = dict(
    roi_head=dict(
        keypoint_head=dict(type='OffsetKeypointHead', score_loss='softmax'),
    ),
)
