# Offsets against plain heatmaps on people1k, the full recipe for one GPU.
# python tools/run_study.py configs/studies/offsets_people1k-256x192.py \
#     --work-dir work_dirs/offsets_people1k-256x192 --jobs 3
_name = 'configs/ogn_topdown/td-{}_res18-{}deconv_1xb32-100e_people1k-256x192.py'
_deconvs = {16: 1, 8: 2, 4: 3}

baseline = 'DARK, stride 8, sigma 1'  # the strongest plain heatmap
seeds = [0, 1, 2]
_sgd = dict(type='SGD', lr=0.02, momentum=0.9, weight_decay=0.0001)
_loss_times_10 = dict(type='OffsetGuidedLoss', loss_weight=10.0)
rows = [
    dict(name=f'OGN, stride {stride}', config=_name.format('ogn', _deconvs[stride]))
    for stride in (16, 8)
]
rows += [
    dict(
        name=f'{"DARK" if unbiased else "MSRA"}, stride {stride}, sigma {sigma}',
        config=_name.format('hm', _deconvs[stride]),
        cfg_options={'codec.sigma': sigma, 'codec.unbiased': unbiased},
    )
    for stride, sigma, unbiased in [
        (16, 0.75, True),
        (8, 1, True),
        (4, 2, False),
        (8, 1, False),
        (16, 2, False),
        (16, 1, False),
        (16, 1, True),
        (8, 2, False),
        (8, 1.5, True),
    ]
]
rows += [  # the paper's optimiser; its batch is 64
    dict(row, name=f'{row["name"]}, SGD', cfg_options={'optim_wrapper.optimizer': _sgd})
    for row in rows[:2]
]
rows += [  # under SGD, unlike Adam, the loss's scale acts as the learning rate's
    dict(
        row,
        name=f'{row["name"]}, loss x 10',
        cfg_options={**row['cfg_options'], 'model.head.loss': _loss_times_10},
    )
    for row in rows[-2:]
]
rows.append(dict(name='OGN, stride 4', config=_name.format('ogn', _deconvs[4])))
