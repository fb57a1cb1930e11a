_box_loss = dict(
    _delete_=True,
    beta=0.1111111111111111,
    loss_weight=1.0,
    type='SmoothL1Loss')
ann_file = 'data/generated_crowds/annotations/val.json'
auto_scale_lr = dict(base_batch_size=2, enable=False)
checkpoint_hook = dict(
    interval=1,
    max_keep_ckpts=2,
    rule='greater',
    save_best='coco/bbox_mAP',
    type='mmpose.ResumableCheckpointHook')
custom_hooks = [
    dict(type='SyncBuffersHook'),
    dict(type='mmpose.EpochSeedHook'),
    dict(type='mmpose.PreemptionHook'),
    dict(type='mmpose.CheckLossHook'),
]
custom_imports = dict(
    allow_failed_imports=False, imports=[
        'ogn_mm',
    ])
data_root = 'data/generated_crowds/'
dataset_type = 'CocoKeypointDetectionDataset'
default_hooks = dict(
    checkpoint=dict(
        _scope_='mmdet',
        interval=1,
        max_keep_ckpts=2,
        rule='greater',
        save_best='coco/AP',
        type='mmpose.ResumableCheckpointHook'),
    logger=dict(_scope_='mmdet', interval=50, type='LoggerHook'),
    param_scheduler=dict(_scope_='mmdet', type='ParamSchedulerHook'),
    sampler_seed=dict(_scope_='mmdet', type='DistSamplerSeedHook'),
    timer=dict(_scope_='mmdet', type='IterTimerHook'),
    visualization=dict(_scope_='mmdet', type='DetVisualizationHook'))
default_scope = 'mmdet'
env_cfg = dict(
    cudnn_benchmark=False,
    dist_cfg=dict(backend='nccl'),
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0))
load_from = 'work_dirs/laptop_detector/epoch_5.pth'
log_level = 'INFO'
log_processor = dict(
    _scope_='mmdet', by_epoch=True, type='LogProcessor', window_size=50)
model = dict(
    _scope_='mmdet',
    backbone=dict(
        base_channels=32,
        depth=18,
        frozen_stages=-1,
        init_cfg=None,
        norm_cfg=dict(requires_grad=False, type='BN'),
        norm_eval=True,
        num_stages=4,
        out_indices=(
            1,
            2,
            3,
        ),
        stem_channels=32,
        style='pytorch',
        type='ResNet'),
    data_preprocessor=dict(
        bgr_to_rgb=True,
        mean=[
            123.675,
            116.28,
            103.53,
        ],
        pad_size_divisor=32,
        std=[
            58.395,
            57.12,
            57.375,
        ],
        type='DetDataPreprocessor'),
    neck=dict(
        in_channels=[
            64,
            128,
            256,
        ], num_outs=4, out_channels=64, type='FPN'),
    roi_head=dict(
        bbox_head=dict(
            bbox_coder=dict(
                target_means=[
                    0.0,
                    0.0,
                    0.0,
                    0.0,
                ],
                target_stds=[
                    0.1,
                    0.1,
                    0.2,
                    0.2,
                ],
                type='DeltaXYWHBBoxCoder'),
            fc_out_channels=256,
            in_channels=64,
            loss_bbox=dict(
                beta=0.1111111111111111, loss_weight=1.0, type='SmoothL1Loss'),
            loss_cls=dict(
                loss_weight=1.0, type='CrossEntropyLoss', use_sigmoid=False),
            num_classes=1,
            reg_class_agnostic=False,
            roi_feat_size=7,
            type='PersonBBoxHead'),
        bbox_roi_extractor=dict(
            featmap_strides=[
                8,
                16,
                32,
            ],
            out_channels=64,
            roi_layer=dict(
                output_size=7,
                sampling_ratio=2,
                type='RoIAlign',
                use_torchvision=True),
            type='SingleRoIExtractor'),
        keypoint_head=dict(
            conv_out_channels=64,
            in_channels=64,
            num_convs=4,
            num_keypoints=17,
            roi_feat_size=9,
            score_loss='softmax',
            type='OffsetKeypointHead'),
        keypoint_roi_extractor=dict(
            featmap_strides=[
                8,
                16,
                32,
            ],
            finest_scale=72,
            out_channels=64,
            roi_layer=dict(
                output_size=9,
                sampling_ratio=2,
                type='RoIAlign',
                use_torchvision=True),
            type='SingleRoIExtractor'),
        type='KeypointRoIHead'),
    rpn_head=dict(
        anchor_generator=dict(
            ratios=[
                0.5,
                1.0,
                2.0,
            ],
            scales=[
                4,
            ],
            strides=[
                8,
                16,
                32,
                64,
            ],
            type='AnchorGenerator'),
        bbox_coder=dict(
            target_means=[
                0.0,
                0.0,
                0.0,
                0.0,
            ],
            target_stds=[
                1.0,
                1.0,
                1.0,
                1.0,
            ],
            type='DeltaXYWHBBoxCoder'),
        feat_channels=64,
        in_channels=64,
        loss_bbox=dict(
            beta=0.1111111111111111, loss_weight=1.0, type='SmoothL1Loss'),
        loss_cls=dict(
            loss_weight=1.0, type='CrossEntropyLoss', use_sigmoid=True),
        type='BoxFilterRPNHead'),
    test_cfg=dict(
        rcnn=dict(
            max_per_img=100,
            nms=dict(iou_threshold=0.5, type='nms'),
            score_thr=0.05),
        rpn=dict(
            max_per_img=300,
            min_bbox_size=0,
            nms=dict(iou_threshold=0.7, type='nms'),
            nms_pre=500)),
    train_cfg=dict(
        rcnn=dict(
            assigner=dict(
                ignore_iof_thr=-1,
                match_low_quality=False,
                min_pos_iou=0.5,
                neg_iou_thr=0.5,
                pos_iou_thr=0.5,
                type='MaxIoUAssigner'),
            debug=False,
            pos_weight=-1,
            sampler=dict(
                add_gt_as_proposals=True,
                neg_pos_ub=-1,
                num=64,
                pos_fraction=0.25,
                type='RandomSampler')),
        rpn=dict(
            allowed_border=-1,
            assigner=dict(
                ignore_iof_thr=-1,
                match_low_quality=True,
                min_pos_iou=0.3,
                neg_iou_thr=0.3,
                pos_iou_thr=0.7,
                type='MaxIoUAssigner'),
            debug=False,
            pos_weight=-1,
            sampler=dict(
                add_gt_as_proposals=False,
                neg_pos_ub=-1,
                num=128,
                pos_fraction=0.5,
                type='RandomSampler')),
        rpn_proposal=dict(
            max_per_img=300,
            min_bbox_size=0,
            nms=dict(iou_threshold=0.7, type='nms'),
            nms_pre=500)),
    type='FasterRCNN')
optim_wrapper = dict(
    clip_grad=dict(max_norm=10),
    optimizer=dict(lr=0.0002, type='AdamW', weight_decay=0.01),
    paramwise_cfg=dict(custom_keys=dict(keypoint=dict(lr_mult=5.0))),
    type='OptimWrapper')
param_scheduler = [
    dict(begin=0, by_epoch=False, end=100, start_factor=0.01, type='LinearLR'),
    dict(
        T_max=4,
        by_epoch=True,
        convert_to_iter_based=True,
        type='CosineAnnealingLR'),
]
randomness = dict(seed=2)
resume = False
test_cfg = dict(type='TestLoop')
test_dataloader = dict(
    batch_size=1,
    dataset=dict(
        ann_file='annotations/val.json',
        data_prefix=dict(img='images/'),
        data_root='data/people1k/',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(keep_ratio=True, scale=(
                320,
                240,
            ), type='Resize'),
            dict(type='LoadKeypointAnnotations'),
            dict(
                meta_keys=(
                    'img_id',
                    'img_path',
                    'ori_shape',
                    'img_shape',
                    'scale_factor',
                ),
                type='PackKeypointInputs'),
        ],
        test_mode=True,
        type='CocoKeypointDetectionDataset'),
    drop_last=False,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(round_up=False, shuffle=False, type='DefaultSampler'))
test_evaluator = [
    dict(
        ann_file='data/people1k/annotations/val.json',
        metric='bbox',
        type='CocoMetric'),
    dict(
        ann_file='data/people1k/annotations/val.json',
        outfile_prefix=
        '{{ fileDirname }}/{{ fileBasenameNoExtension }}/predictions',
        type='mmpose.KeypointDetectionMetric'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(keep_ratio=True, scale=(
        320,
        240,
    ), type='Resize'),
    dict(type='LoadKeypointAnnotations'),
    dict(
        meta_keys=(
            'img_id',
            'img_path',
            'ori_shape',
            'img_shape',
            'scale_factor',
        ),
        type='PackKeypointInputs'),
]
train_cfg = dict(
    max_epochs=4, type='EpochBasedTrainLoop', val_begin=5, val_interval=1)
train_dataloader = dict(
    batch_sampler=None,
    batch_size=2,
    dataset=dict(
        ann_file='annotations/train.json',
        data_prefix=dict(img='images/'),
        data_root='data/people1k/',
        filter_cfg=dict(filter_empty_gt=True, min_size=32),
        pipeline=[
            dict(type='mmpose.SeedAugmentation'),
            dict(type='LoadImageFromFile'),
            dict(type='LoadKeypointAnnotations'),
            dict(keep_ratio=True, scale=(
                320,
                240,
            ), type='Resize'),
            dict(prob=0.5, type='RandomFlip'),
            dict(type='PackKeypointInputs'),
        ],
        type='CocoKeypointDetectionDataset'),
    drop_last=True,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(shuffle=True, type='DefaultSampler'))
train_pipeline = [
    dict(type='mmpose.SeedAugmentation'),
    dict(type='LoadImageFromFile'),
    dict(type='LoadKeypointAnnotations'),
    dict(keep_ratio=True, scale=(
        320,
        240,
    ), type='Resize'),
    dict(prob=0.5, type='RandomFlip'),
    dict(type='PackKeypointInputs'),
]
val_cfg = dict(type='ValLoop')
val_dataloader = dict(
    batch_size=1,
    dataset=dict(
        ann_file='annotations/val.json',
        data_prefix=dict(img='images/'),
        data_root='data/people1k/',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(keep_ratio=True, scale=(
                320,
                240,
            ), type='Resize'),
            dict(type='LoadKeypointAnnotations'),
            dict(
                meta_keys=(
                    'img_id',
                    'img_path',
                    'ori_shape',
                    'img_shape',
                    'scale_factor',
                ),
                type='PackKeypointInputs'),
        ],
        test_mode=True,
        type='CocoKeypointDetectionDataset'),
    drop_last=False,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(round_up=False, shuffle=False, type='DefaultSampler'))
val_evaluator = [
    dict(
        ann_file='data/people1k/annotations/val.json',
        metric='bbox',
        type='CocoMetric'),
    dict(
        ann_file='data/people1k/annotations/val.json',
        type='mmpose.KeypointDetectionMetric'),
]
vis_backends = [
    dict(_scope_='mmdet', type='LocalVisBackend'),
]
visualizer = dict(
    _scope_='mmdet',
    name='visualizer',
    type='KeypointDetectionVisualizer',
    vis_backends=[
        dict(type='LocalVisBackend'),
    ])
