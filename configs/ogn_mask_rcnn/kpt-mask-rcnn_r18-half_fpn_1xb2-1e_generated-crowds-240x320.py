# For a laptop's CPU, on the laptop's person detector (configs/person_detector): boxes
# are learnt already, so that one epoch shows what a keypoint head learns. The head has
# half of everything: convolutions, and features of the ROIs in each direction, so that
# its convolutions see as much of a ROI as at full size.
_base_ = [
    '../_base_/models/faster_rcnn_r18_half.py',
    '../_base_/datasets/generated_crowds_keypoint_detection.py',
    'mmdet::_base_/default_runtime.py',
    '../_base_/mmdet_runtime.py',
]

load_from = 'work_dirs/laptop_detector/epoch_5.pth'
# As torchvision has them, so that its Keypoint R-CNN differs in nothing that a config
# can make equal: BatchNorm is frozen, boxes are learnt by Smooth L1.
_box_loss = dict(_delete_=True, type='SmoothL1Loss', beta=1 / 9, loss_weight=1.0)
model = dict(
    backbone=dict(norm_cfg=dict(requires_grad=False), norm_eval=True),
    rpn_head=dict(loss_bbox=_box_loss),
    roi_head=dict(
        type='KeypointRoIHead',
        bbox_head=dict(loss_bbox=_box_loss),
        keypoint_roi_extractor=dict(
            type='SingleRoIExtractor',
            roi_layer=dict(
                type='RoIAlign',
                output_size=7,
                sampling_ratio=2,
                use_torchvision=True,
            ),
            out_channels=64,
            featmap_strides=[8, 16, 32],
        ),
        keypoint_head=dict(
            type='OneHotKeypointHead',
            num_keypoints=17,
            roi_feat_size=7,
            in_channels=64,
            num_convs=4,
            conv_out_channels=64,
        ),
    ),
)
train_dataloader = dict(batch_size=2)

default_hooks = dict(checkpoint=dict(_base_.checkpoint_hook, save_best='coco/AP'))
visualizer = dict(type='KeypointDetectionVisualizer')
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=1, val_interval=1)
# The detector is trained already: at the keypoint head's rate its boxes get worse first.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=2e-4, weight_decay=0.01),
    paramwise_cfg=dict(custom_keys=dict(keypoint=dict(lr_mult=5.0))),
    clip_grad=dict(max_norm=10),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', T_max=1, by_epoch=True, convert_to_iter_based=True),
]
auto_scale_lr = dict(enable=False, base_batch_size=2)
