# The two-stage system on generated crowds: GBG against NMS of the same boxes and with
# the same networks, mixed against annotated boxes in training, scores and pose NMS.
# Data and detections: configs/ogn_topdown/README.md.
# python tools/run_study.py configs/studies/crowds.py \
#     --work-dir docs/studies/crowds --jobs 2
_nms = 'configs/ogn_topdown/td-ogn_res18-1deconv_1xb32-8e_crowds-128x96.py'
_gbg = 'configs/ogn_topdown/td-ogn_res18-1deconv_1xb32-8e_crowds-128x96-gbg.py'
_share = 'train_dataloader.dataset.dataset.pipeline.2.share'
_filter = 'test_dataloader.dataset.bbox_filter'
_metric = 'test_evaluator'

seeds = [0, 1, 2]
baseline = 'NMS 0.5'
rows = [
    dict(name='NMS 0.5', config=_nms),
    dict(name='GBG', config=_gbg, weights_of='NMS 0.5'),
    dict(
        name='annotated boxes in training, NMS 0.5',
        config=_nms,
        cfg_options={_share: 0.0},
    ),
    dict(
        name='annotated boxes in training, GBG',
        config=_gbg,
        cfg_options={_share: 0.0},
        weights_of='annotated boxes in training, NMS 0.5',
    ),
]
# Tests of the first row's networks.
rows += [
    dict(name=name, config=config, cfg_options=options, weights_of='NMS 0.5')
    for name, config, options in [
        *[
            (f'NMS {thr}', _nms, {f'{_filter}.iou_threshold': thr})
            for thr in (0.3, 0.6, 0.7, 0.8)
        ],
        *[(f'GBG, top {n}', _gbg, {f'{_filter}.top_n': n}) for n in (1, 2, 8)],
        *[
            (f'{name}, {what}', config, options)
            for name, config in (('NMS 0.5', _nms), ('GBG', _gbg))
            for what, options in [
                ('box score alone', {f'{_metric}.score_mode': 'bbox'}),
                (
                    'pose NMS by OKS 0.75 alone',
                    {f'{_metric}.nms_mode': 'oks_nms', f'{_metric}.nms_thr': 0.75},
                ),
                (
                    'pose NMS by OKS 0.9 alone',
                    {f'{_metric}.nms_mode': 'oks_nms', f'{_metric}.nms_thr': 0.9},
                ),
                ('pose NMS by OKS and IoU', {f'{_metric}.combine': 'and'}),
            ]
        ],
        (
            'annotated boxes in testing',
            _nms,
            {
                'test_dataloader.dataset.bbox_file': None,
                'test_dataloader.dataset.bbox_filter': None,
            },
        ),
    ]
]
