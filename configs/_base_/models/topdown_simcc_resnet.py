# SimCC as MMPose trains it behind a ResNet; the recipes add sizes and codec.
_base_ = './topdown_resnet.py'

model = dict(
    head=dict(
        type='SimCCHead',
        simcc_split_ratio=2.0,
        loss=dict(type='KLDiscretLoss', use_target_weight=True),
    ),
    test_cfg=dict(flip_test=True),
)
