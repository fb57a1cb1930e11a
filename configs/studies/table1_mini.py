# Strides, input sizes and today's heads on photographs, the same backbone and budget for
# all: people1k, or other COCO-format data with its layout in the folder that the
# environment variable PEOPLE names.
# python tools/run_study.py configs/studies/table1_mini.py \
#     --work-dir work_dirs/table1_mini --jobs 3
_config = 'configs/ogn_topdown/td-{}_res18-1deconv_1xb32-100e_people1k-256x192.py'
_root = '{{$PEOPLE:data/people1k}}'

baseline = 'MSRA, stride 4'
note = "The paper's figures are of ResNet-50 on COCO val2017, boxes of a detector."
seeds = [0]
common_options = {
    'val_evaluator.ann_file': f'{_root}/annotations/val.json',
    'test_evaluator.ann_file': f'{_root}/annotations/val.json',
}
for _split in ('train', 'val', 'test'):
    common_options[f'{_split}_dataloader.dataset.data_root'] = _root

_deconvs = {  # options of a head, by stride
    stride: {
        'codec.heatmap_size': (192 // stride, 256 // stride),
        'model.head.deconv_out_channels': (256,) * count or None,
        'model.head.deconv_kernel_sizes': (4,) * count or None,
    }
    for count, stride in enumerate((32, 16, 8, 4))
}
_sizes = {  # of the input, width and height
    f'{height}x{width}': {
        'codec.input_size': (width, height),
        'codec.heatmap_size': (width // 16, height // 16),
        'train_dataloader.dataset.pipeline.5.input_size': (width, height),
        'val_dataloader.dataset.pipeline.2.input_size': (width, height),
        'test_dataloader.dataset.pipeline.2.input_size': (width, height),
    }
    for width, height in [(96, 128), (288, 384)]
}
_paper = {  # rows a to d of Table 1
    'MSRA, stride 16': 52.0,
    'MSRA, stride 8': 68.2,
    'OGN, stride 8': 69.7,
    'OGN, stride 16': 67.7,
}
_sigma = {32: 0.75, 16: 0.75, 8: 1.0, 4: 2.0}
rows = [
    dict(name=f'OGN, stride {stride}', config=_config.format('ogn'), cfg_options=head)
    for stride, head in _deconvs.items()
]
rows += [
    dict(
        name=f'{name}, stride {stride}',
        config=_config.format('hm'),
        cfg_options=head
        | {'codec.sigma': _sigma[stride], 'codec.unbiased': name == 'DARK'},
    )
    for name in ('MSRA', 'DARK')
    for stride, head in _deconvs.items()
]
for _row in rows:
    if _row['name'] in _paper:
        _row['paper'] = _paper[_row['name']]
rows += [
    dict(
        name=f'OGN, stride 16, {size}',
        config=_config.format('ogn'),
        cfg_options=options,
    )
    for size, options in _sizes.items()
]
rows += [
    dict(name=name, config=f'configs/ogn_topdown/{config}_people1k-256x192.py')
    for name, config in [
        ('UDP, stride 4', 'td-hm_res18-3deconv_udp-1xb32-100e'),
        ('SimCC', 'simcc_res18_1xb32-100e'),
        ('RTMCC', 'rtmcc_res18_1xb32-100e'),
    ]
]
