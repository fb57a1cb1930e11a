# The two-stage system on generated crowds: GBG against NMS of the same boxes and with
# the same networks, mixed against annotated boxes in training, scores and pose NMS.
# Data and detections: configs/ogn_topdown/README.md. Training computes in bfloat16 where
# the CPU does, else in float32.
# python tools/run_study.py configs/studies/crowds.py \
#     --work-dir docs/results/crowds --jobs 2
_nms = 'configs/ogn_topdown/td-ogn_res18-1deconv_1xb32-8e_crowds-128x96.py'
_gbg = 'configs/ogn_topdown/td-ogn_res18-1deconv_1xb32-8e_crowds-128x96-gbg.py'
_share = 'train_dataloader.dataset.dataset.pipeline.2.share'
_filter = 'test_dataloader.dataset.bbox_filter'
_metric = 'test_evaluator'
_annotated = {
    'test_dataloader.dataset.bbox_file': None,
    'test_dataloader.dataset.bbox_filter': None,
}
_oks = {f'{_metric}.nms_mode': 'oks_nms'}

seeds = [0, 1, 2]
baseline = 'NMS 0.5'
common_options = {
    'optim_wrapper.type': 'Bfloat16OptimWrapper',
    'train_cfg.val_begin': 9,  # the last of 8 epochs is tested
}
rows = [
    dict(name='NMS 0.5', config=_nms),
    dict(name='GBG', config=_gbg, weights_of='NMS 0.5'),
    dict(
        name='trained on annotated boxes, NMS 0.5',
        config=_nms,
        cfg_options={_share: 0.0},
    ),
    dict(
        name='trained on annotated boxes, GBG',
        config=_gbg,
        cfg_options={_share: 0.0},
        weights_of='trained on annotated boxes, NMS 0.5',
    ),
]
# Tests of the first row's networks on other boxes,
rows += [
    dict(name=name, config=config, cfg_options=options, weights_of='NMS 0.5')
    for name, config, options in [
        *[
            (f'NMS {thr}', _nms, {f'{_filter}.iou_threshold': thr})
            for thr in (0.7, 0.9)
        ],
        ('GBG, EGT from 0.5', _gbg, {f'{_filter}.egt_score_thr': 0.5}),
        ('GBG, no EGT', _gbg, {f'{_filter}.egt_iou_thr': 0.0}),
        ('annotated boxes', _nms, _annotated),
        *[
            (
                f'annotated boxes, votes within {radius}',
                _nms,
                {'model.head.decoder.vote_radius': radius, **_annotated},
            )
            for radius in (1.0, 1.5)
        ],
    ]
]
# and with other scores and suppression of the same poses.
rows += [
    dict(
        name=f'{boxes}, {what}',
        config=config,
        cfg_options=options,
        predictions_of=boxes,
    )
    for what, options in [
        ('box score alone', {f'{_metric}.score_mode': 'bbox'}),
        ('OKS 0.75 alone', _oks | {f'{_metric}.nms_thr': 0.75}),
        ('OKS 0.9 alone', _oks),
    ]
    for boxes, config in (('NMS 0.5', _nms), ('GBG', _gbg))
]
