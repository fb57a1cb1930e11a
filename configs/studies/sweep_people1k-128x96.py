# Radius, Smooth L1's threshold, the loss's normalisation and its scale under SGD, on a part of people1k's
# training data that no row trains on.
# python tools/dataset_tools/split_annotations.py data/people1k/annotations/train.json \
#     --out data/people1k_split --sizes fit=550 dev=150
# python tools/run_study.py configs/studies/sweep_people1k-128x96.py \
#     --work-dir work_dirs/sweep_people1k-128x96 --jobs 2
_name = 'configs/ogn_topdown/td-ogn_res18-{}deconv_1xb32-30e_people1k-128x96.py'
_deconvs = {16: 1, 8: 2, 4: 3}
_dev = 'data/people1k_split/dev.json'

seeds = [0]
common_options = {
    'optim_wrapper.type': 'Bfloat16OptimWrapper',
    'train_cfg.val_interval': 10,
    'train_dataloader.dataset.ann_file': 'data/people1k_split/fit.json',
    'val_dataloader.dataset.ann_file': _dev,
    'test_dataloader.dataset.ann_file': _dev,
    'val_evaluator.ann_file': _dev,
    'test_evaluator.ann_file': _dev,
}
for _loader in ('train', 'val', 'test'):
    common_options[f'{_loader}_dataloader.dataset.data_root'] = ''
    common_options[f'{_loader}_dataloader.dataset.data_prefix.img'] = (
        'data/people1k/images/'
    )

_swept = [  # stride, radius, arguments of the loss
    (16, 1.5, {}),
    (8, 1.5, {}),
    (16, 1.0, {}),
    (16, 2.0, {}),
    (16, 1.5, dict(beta=0.1)),
    (8, 2.0, {}),
    (8, 1.5, dict(beta=0.1)),
    (8, 1.0, {}),
    (16, 1.0, dict(beta=0.1)),
    (4, 2.0, {}),
    (4, 1.0, {}),
    (8, 1.0, dict(beta=0.1)),
    (16, 0.75, {}),
    (8, 0.75, {}),
    (4, 1.5, {}),
    (16, 1.0, dict(beta=0.3)),
    (16, 1.0, dict(normalize_by='map')),
    (16, 1.0, dict(normalize_by='keypoint')),
    (4, 3.0, {}),
    (16, 3.0, {}),
    (8, 3.0, {}),
]
rows = [
    dict(
        name=f'stride {stride}, radius {radius}'
        + ''.join(f', {key} {value}' for key, value in loss.items()),
        config=_name.format(_deconvs[stride]),
        cfg_options={
            'codec.radius': radius,
            **(
                {'model.head.loss': dict(type='OffsetGuidedLoss', **loss)}
                if loss
                else {}
            ),
        },
    )
    for stride, radius, loss in _swept
]
# Under SGD, unlike Adam, the loss's scale acts as the learning rate's.
rows += [
    dict(
        name=f'stride 8, radius 1.0, {key} {value}, SGD',
        config=_name.format(_deconvs[8]),
        cfg_options={
            'codec.radius': 1.0,
            'model.head.loss': dict(type='OffsetGuidedLoss', **{key: value}),
            'optim_wrapper.optimizer': dict(
                type='SGD', lr=0.02, momentum=0.9, weight_decay=0.0001
            ),
        },
    )
    for key, value in [
        ('normalize_by', 'disk'),
        ('normalize_by', 'keypoint'),
        ('loss_weight', 10.0),
    ]
]
