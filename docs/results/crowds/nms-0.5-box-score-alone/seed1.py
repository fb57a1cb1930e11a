auto_scale_lr = dict(base_batch_size=8)
backend_args = dict(backend='local')
codec = dict(
    heatmap_size=(
        6,
        8,
    ), input_size=(
        96,
        128,
    ), type='OffsetHeatmap')
custom_hooks = [
    dict(type='SyncBuffersHook'),
    dict(type='EpochSeedHook'),
    dict(type='CheckKeypointsHook'),
]
custom_imports = dict(
    allow_failed_imports=False, imports=[
        'ogn_mm',
    ])
data_mode = 'topdown'
data_root = 'data/generated_crowds/'
dataset_type = 'ValidatedCocoDataset'
default_hooks = dict(
    checkpoint=dict(
        interval=1,
        max_keep_ckpts=2,
        rule='greater',
        save_best='coco/AP',
        type='ResumableCheckpointHook'),
    logger=dict(interval=50, type='LoggerHook'),
    param_scheduler=dict(type='ParamSchedulerHook'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    timer=dict(type='IterTimerHook'),
    visualization=dict(enable=False, type='PoseVisualizationHook'))
default_scope = 'mmpose'
detections = 'data/coco/person_detection_results/'
env_cfg = dict(
    cudnn_benchmark=False,
    dist_cfg=dict(backend='nccl'),
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0))
gbg = dict(
    egt_iou_thr=0.5,
    egt_score_thr=0.8,
    group_iou_thr=0.7,
    max_num=100,
    min_size=8,
    top_n=4,
    type='mmdet.GreedyBoxGeneration')
load_from = None
log_level = 'INFO'
log_processor = dict(
    by_epoch=True, num_digits=6, type='LogProcessor', window_size=50)
model = dict(
    backbone=dict(
        base_channels=32,
        depth=18,
        init_cfg=None,
        stem_channels=32,
        type='ResNet'),
    data_preprocessor=dict(
        bgr_to_rgb=True,
        mean=[
            123.675,
            116.28,
            103.53,
        ],
        std=[
            58.395,
            57.12,
            57.375,
        ],
        type='PoseDataPreprocessor'),
    head=dict(
        decoder=dict(
            heatmap_size=(
                6,
                8,
            ),
            input_size=(
                96,
                128,
            ),
            type='OffsetHeatmap'),
        deconv_kernel_sizes=(4, ),
        deconv_out_channels=(128, ),
        in_channels=256,
        out_channels=17,
        type='OffsetHead'),
    test_cfg=dict(flip_test=False),
    type='TopdownPoseEstimator')
nms = dict(iou_threshold=0.5, max_num=100, type='mmdet.BoxNMS')
optim_wrapper = dict(
    optimizer=dict(lr=0.002, type='Adam'), type='Bfloat16OptimWrapper')
param_scheduler = [
    dict(
        begin=0, by_epoch=False, end=100, start_factor=0.001, type='LinearLR'),
    dict(
        begin=0,
        by_epoch=True,
        end=8,
        gamma=0.1,
        milestones=[
            6,
            7,
        ],
        type='MultiStepLR'),
]
randomness = dict(seed=1)
resume = False
test_cfg = dict()
test_dataloader = dict(
    batch_size=32,
    dataset=dict(
        ann_file='annotations/val.json',
        bbox_file='data/generated_crowds/detections/raw_val.json',
        bbox_filter=dict(iou_threshold=0.5, max_num=100, type='mmdet.BoxNMS'),
        data_mode='topdown',
        data_prefix=dict(img='images/val/'),
        data_root='data/generated_crowds/',
        pipeline=[
            dict(type='LoadImage'),
            dict(type='GetBBoxCenterScale'),
            dict(input_size=(
                96,
                128,
            ), type='TopdownAffine'),
            dict(type='PackPoseInputs'),
        ],
        test_mode=True,
        type='ValidatedCocoDataset'),
    drop_last=False,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(round_up=False, shuffle=False, type='DefaultSampler'))
test_evaluator = dict(
    ann_file='data/generated_crowds/annotations/val.json',
    outfile_prefix=
    '{{ fileDirname }}/{{ fileBasenameNoExtension }}/predictions',
    score_mode='bbox',
    type='PoseNMSCocoMetric')
train_cfg = dict(by_epoch=True, max_epochs=8, val_begin=9, val_interval=4)
train_dataloader = dict(
    batch_size=8,
    collate_fn=dict(type='flatten_rois'),
    dataset=dict(
        dataset=dict(
            ann_file='annotations/train.json',
            data_mode='topdown',
            data_prefix=dict(img='images/train/'),
            data_root='data/generated_crowds/',
            detection_file='data/generated_crowds/detections/gbg_train.json',
            pipeline=[
                dict(type='SeedAugmentation'),
                dict(type='LoadImage'),
                dict(type='RandomDetectedBox'),
                dict(type='GetBBoxCenterScale'),
                dict(direction='horizontal', type='ContiguousRandomFlip'),
                dict(type='RandomBBoxScaleRotate'),
                dict(input_size=(
                    96,
                    128,
                ), type='TopdownAffine'),
                dict(
                    encoder=dict(
                        heatmap_size=(
                            6,
                            8,
                        ),
                        input_size=(
                            96,
                            128,
                        ),
                        type='OffsetHeatmap'),
                    type='GenerateTarget'),
                dict(type='PackPoseInputs'),
            ],
            type='MixedBoxCocoDataset'),
        rois_per_image=4,
        type='ImageROIDataset'),
    num_workers=1,
    persistent_workers=True,
    sampler=dict(batch_size=8, type='FullBatchSampler'))
train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='LoadImage'),
    dict(type='RandomDetectedBox'),
    dict(type='GetBBoxCenterScale'),
    dict(direction='horizontal', type='ContiguousRandomFlip'),
    dict(type='RandomBBoxScaleRotate'),
    dict(input_size=(
        96,
        128,
    ), type='TopdownAffine'),
    dict(
        encoder=dict(
            heatmap_size=(
                6,
                8,
            ),
            input_size=(
                96,
                128,
            ),
            type='OffsetHeatmap'),
        type='GenerateTarget'),
    dict(type='PackPoseInputs'),
]
val_cfg = dict()
val_dataloader = dict(
    batch_size=32,
    dataset=dict(
        ann_file='annotations/val.json',
        bbox_file='data/generated_crowds/detections/raw_val.json',
        bbox_filter=dict(iou_threshold=0.5, max_num=100, type='mmdet.BoxNMS'),
        data_mode='topdown',
        data_prefix=dict(img='images/val/'),
        data_root='data/generated_crowds/',
        pipeline=[
            dict(type='LoadImage'),
            dict(type='GetBBoxCenterScale'),
            dict(input_size=(
                96,
                128,
            ), type='TopdownAffine'),
            dict(type='PackPoseInputs'),
        ],
        test_mode=True,
        type='ValidatedCocoDataset'),
    drop_last=False,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(round_up=False, shuffle=False, type='DefaultSampler'))
val_evaluator = dict(
    ann_file='data/generated_crowds/annotations/val.json',
    type='PoseNMSCocoMetric')
val_pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale'),
    dict(input_size=(
        96,
        128,
    ), type='TopdownAffine'),
    dict(type='PackPoseInputs'),
]
vis_backends = [
    dict(type='LocalVisBackend'),
]
visualizer = dict(
    name='visualizer',
    type='ArrayRadiusVisualizer',
    vis_backends=[
        dict(type='LocalVisBackend'),
    ])
