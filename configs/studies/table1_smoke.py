# Rows a to d of Table 1 on generated people, far too short to learn: that it runs.
_ogn = 'configs/demo/td-ogn_res18-1deconv_1xb32-16e_generated-128x96.py'
_hm = 'configs/demo/td-hm_res18-1deconv_1xb32-16e_generated-128x96.py'
_two_deconvs = {
    'codec.heatmap_size': (12, 16),
    'model.head.deconv_out_channels': (128, 128),
    'model.head.deconv_kernel_sizes': (4, 4),
}

baseline = 'a: MSRA, stride 16'
note = "The paper's figures are of full networks on COCO val2017."
common_options = {'train_cfg.max_epochs': 2, 'train_cfg.val_interval': 2}
rows = [
    dict(
        name=baseline,
        config=_hm,
        cfg_options={'codec.unbiased': False},
        paper=52.0,
    ),
    dict(
        name='b: MSRA, stride 8',
        config=_hm,
        cfg_options=_two_deconvs | {'codec.unbiased': False, 'codec.sigma': 1.0},
        paper=68.2,
    ),
    dict(name='c: OGN, stride 8', config=_ogn, cfg_options=_two_deconvs, paper=69.7),
    dict(name='d: OGN, stride 16', config=_ogn, paper=67.7),
]
