# MMPose's SimCC; sigma shrinks with the root of the input, as MMPose's recipes do it.
_base_ = './td-hm_res18-1deconv_1xb32-30e_people1k-128x96.py'

codec = dict(
    type='SimCCLabel',
    _delete_=True,
    input_size=(96, 128),
    sigma=4.24,
    simcc_split_ratio=2.0,
)
model = dict(
    head=dict(
        _delete_=True,
        type='SimCCHead',
        in_channels=512,
        out_channels=17,
        input_size=codec['input_size'],
        in_featuremap_size=(3, 4),
        simcc_split_ratio=codec['simcc_split_ratio'],
        loss=dict(type='KLDiscretLoss', use_target_weight=True),
        decoder={key: codec[key] for key in codec if key != '_delete_'},
    ),
    test_cfg=dict(_delete_=True, flip_test=True),
)

train_pipeline = _base_.train_pipeline
train_pipeline[-2].encoder = model['head']['decoder']
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
