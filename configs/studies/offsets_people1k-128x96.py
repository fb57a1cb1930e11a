# The same rows on the laptop's version of people1k, and MMPose's heads of today: a trend
# only.
# bfloat16 where the CPU computes in it, else float32.
# python tools/run_study.py configs/studies/offsets_people1k-128x96.py \
#     --work-dir docs/results/offsets_people1k-128x96 --jobs 2
_base_ = './offsets_people1k-256x192.py'

common_options = {'optim_wrapper.type': 'Bfloat16OptimWrapper'}
rows = [
    dict(row, config=row['config'].replace('100e', '30e').replace('256x192', '128x96'))
    for row in _base_.rows
]
rows += [
    dict(name=name, config=f'configs/ogn_topdown/{config}_people1k-128x96.py')
    for name, config in [
        ('UDP, stride 4', 'td-hm_res18-3deconv_udp-1xb32-30e'),
        ('SimCC', 'simcc_res18_1xb32-30e'),
        ('RTMCC', 'rtmcc_res18_1xb32-30e'),
    ]
]
rows += [  # other sigmas of theirs
    dict(row, name=f'{row["name"].partition(",")[0]}, sigma {sigma}')
    | dict(cfg_options={'codec.sigma': sigma})
    for row, sigma in [(rows[-3], 1.5), (rows[-2], 6.0)]
]
_ogn = 'configs/ogn_topdown/td-ogn_res18-1deconv_1xb32-30e_people1k-128x96.py'
rows.append(
    dict(
        name='OGN, stride 32',
        config=_ogn,
        cfg_options={
            'codec.heatmap_size': (3, 4),
            'model.head.deconv_out_channels': None,
            'model.head.deconv_kernel_sizes': None,
        },
    )
)
_width, _height = 192, 256
rows.append(
    dict(
        name='OGN, stride 16, 256x192',
        config=_ogn,
        cfg_options={
            'codec.input_size': (_width, _height),
            'codec.heatmap_size': (_width // 16, _height // 16),
            'train_dataloader.dataset.pipeline.5.input_size': (_width, _height),
            'val_dataloader.dataset.pipeline.2.input_size': (_width, _height),
            'test_dataloader.dataset.pipeline.2.input_size': (_width, _height),
        },
    )
)
rows += [  # the same weights, decoded from several pixels
    dict(
        name=f'OGN, stride 4, votes within {radius}',
        config='configs/ogn_topdown/td-ogn_res18-3deconv_1xb32-30e_people1k-128x96.py',
        weights_of='OGN, stride 4',
        cfg_options={'model.head.decoder.vote_radius': radius},
    )
    for radius in (1.5, 3.0)
]
