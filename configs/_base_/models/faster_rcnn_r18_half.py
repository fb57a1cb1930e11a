# A detector for a laptop's CPU: half the width of ResNet-18, few anchors, one class.
_base_ = 'mmdet::_base_/models/faster-rcnn_r50_fpn.py'

model = dict(
    backbone=dict(
        depth=18,
        stem_channels=32,
        base_channels=32,
        out_indices=(1, 2, 3),
        frozen_stages=-1,
        norm_eval=False,
        init_cfg=None,
    ),
    neck=dict(in_channels=[64, 128, 256], out_channels=64, num_outs=4),
    rpn_head=dict(
        type='BoxFilterRPNHead',
        in_channels=64,
        feat_channels=64,
        anchor_generator=dict(scales=[4], strides=[8, 16, 32, 64]),
    ),
    roi_head=dict(
        bbox_roi_extractor=dict(
            # the same figures as mmcv's, on a CPU sooner
            roi_layer=dict(sampling_ratio=2, use_torchvision=True),
            out_channels=64,
            featmap_strides=[8, 16, 32],
        ),
        bbox_head=dict(
            type='PersonBBoxHead',
            in_channels=64,
            fc_out_channels=256,
            num_classes=1,
        ),
    ),
    train_cfg=dict(
        rpn=dict(sampler=dict(num=128)),
        rpn_proposal=dict(nms_pre=500, max_per_img=300),
        rcnn=dict(sampler=dict(num=64)),
    ),
    test_cfg=dict(
        rpn=dict(nms_pre=500, max_per_img=300),
        rcnn=dict(score_thr=0.05),
    ),
)
