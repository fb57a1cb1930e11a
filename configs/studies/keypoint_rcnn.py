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
_roi_head = 'model.roi_head'
rows += [  # fewer pixels in the maps: four in each direction to one of the features
    dict(
        row,
        name=f'{row["name"]}, {4 * height}x{4 * width}',
        cfg_options={
            f'{_roi_head}.keypoint_roi_extractor.roi_layer.output_size': size,
            f'{_roi_head}.keypoint_head.roi_feat_size': size,
        },
    )
    for row, size in zip(rows[-3:], [(10, 10), (11, 8), (11, 8)], strict=True)
    for height, width in [size]
]
rows += [  # as wide, but without the bilinear upsampling
    dict(
        row,
        name=f'{row["name"]}, {height}x{width}, no upsampling',
        cfg_options={f'{_roi_head}.keypoint_head.upsampling': 1},
    )
    for row, (height, width) in zip(
        rows[2:5], [(28, 28), (44, 32), (44, 32)], strict=True
    )
]
