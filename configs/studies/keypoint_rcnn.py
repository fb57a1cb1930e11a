# Keypoint R-CNN on generated crowds: torchvision's, our baseline and Table 4's rows, all
# from the laptop's person detector. Data and detector: configs/ogn_mask_rcnn/README.md.
# python tools/run_study.py configs/studies/keypoint_rcnn.py \
#     --work-dir docs/results/keypoint_rcnn --jobs 2
_config = 'configs/ogn_mask_rcnn/{}_1xb2-1e_generated-crowds-240x320.py'

seeds = [0, 1, 2]
baseline = 'baseline'
_epochs = 2
common_options = {
    'train_cfg.max_epochs': _epochs,
    'train_cfg.val_begin': _epochs + 1,  # tested once, at the end
    'param_scheduler.1.T_max': _epochs,
}
rows = [
    dict(name=name, config=_config.format(network))
    for name, network in [
        ('torchvision', 'tv-kpt-rcnn_r18-half_fpn'),
        ('baseline', 'kpt-mask-rcnn_r18-half_fpn'),
        ('a: offset, softmax', 'ogn-mask-rcnn_r18-half_fpn-softmax'),
        ('b: a, ratio-consistent', 'ogn-mask-rcnn_r18-half_fpn-softmax-rc'),
        ('c: b, Smooth L1', 'ogn-mask-rcnn_r18-half_fpn-rc'),
    ]
]
rows += [  # with features and maps of twice the size in each direction
    dict(
        rows[0],
        name='torchvision, maps of 56x56, twice the features',
        cfg_options={'model.keypoint_roi_size': 14},
    ),
    *[
        dict(
            rows[i],
            name=f'{name}, maps of 56x56, twice the features',
            cfg_options={
                'model.roi_head.keypoint_roi_extractor.roi_layer.output_size': 14,
                'model.roi_head.keypoint_head.roi_feat_size': 14,
            },
        )
        for i, name in [(1, 'baseline'), (2, 'a')]
    ],
]
rows += [  # the same weights, decoded from several pixels
    dict(
        row,
        name=f'{row["name"].partition(":")[0]}, votes within 4',
        weights_of=row['name'],
        cfg_options={'model.roi_head.keypoint_head.vote_radius': 4.0},
    )
    for row in rows[1:5]
]
# What the studies of features, in crowds and on photographs, change in these rows.
_head = 'model.roi_head.keypoint_head'
_extractor = 'model.roi_head.keypoint_roi_extractor'
_small_weights = dict(type='Normal', layer='ConvTranspose2d', std=0.001)
_variants = dict(
    small={f'{_head}.init_cfg': _small_weights},
    deep={f'{_head}.num_convs': 8},
    coarse={f'{_extractor}.finest_scale': 56},
    # of the level that fits them, 56 * 9 / 7
    features_9x9={
        f'{_extractor}.finest_scale': 72,
        f'{_extractor}.roi_layer.output_size': 9,
        f'{_head}.roi_feat_size': 9,
    },
)
