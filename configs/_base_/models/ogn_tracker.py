# Tracking by IoU of boxes and Euclidean distance of re-identification features (section
# 4.2). Thresholds and weights are ours; the paper names none.
model = dict(
    type='VideoPoseEstimator',
    appearance=dict(
        type='ReIDFeatures',
        reid=dict(
            type='BaseReID',
            data_preprocessor=dict(
                type='ReIDDataPreprocessor',
                mean=[123.675, 116.28, 103.53],
                std=[58.395, 57.12, 57.375],
                to_rgb=True,
            ),
            backbone=dict(
                type='mmpretrain.ResNet',
                depth=50,
                num_stages=4,
                out_indices=(3,),
                style='pytorch',
            ),
            neck=dict(type='GlobalAveragePooling', kernel_size=(8, 4), stride=1),
            head=dict(
                type='LinearReIDHead',
                num_fcs=1,
                in_channels=2048,
                fc_channels=1024,
                out_channels=128,
                num_classes=380,
                loss_cls=dict(type='mmpretrain.CrossEntropyLoss', loss_weight=1.0),
                loss_triplet=dict(type='TripletLoss', margin=0.3, loss_weight=1.0),
                norm_cfg=dict(type='BN1d'),
                act_cfg=dict(type='ReLU'),
            ),
        ),
        checkpoint='https://download.openmmlab.com/mmtracking/mot/reid/'
        'tracktor_reid_r50_iter25245-a452f51f.pth',
    ),
    tracker=dict(
        type='PoseTracker',
        cues=[dict(type='BoxIoU'), dict(type='ReIDDistance', weight=0.5)],
        match_thr=0.3,
        score_thr=0.2,
        birth_score=0.4,
        max_gap=10,
    ),
)
