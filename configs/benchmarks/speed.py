# Times of our parts beside their rivals', as ratios in one run, and what networks cost.
# Nothing else should run.
_scripts = {  # with options for `smoke`
    'codec': '--sizes 12x16 24x32 --rounds 2',
    'head': '--rounds 2',
    'pipeline': '--samples 20 --rounds 2',
    'roi_loading': '--samples 8 --rounds 2',
    'pose_nms': '--poses 20 100 --rounds 2',
    'boxes': '--counts 1000 5000 --rounds 2',
    'tracking': '--people 5 20 --rounds 2',
    'posetrack': '--sequences 2 --frames 20',
    'keypoint_rois': '--rois 10 --rounds 2',
    'keypoint_rcnn': '--images 1 --rounds 2',
}
_cost = 'python tools/analysis_tools/model_cost.py --out {{out}}/costs.md {}'
_laptop = ' '.join(
    f'configs/ogn_topdown/{name}_people1k-128x96.py'
    for name in [
        'td-ogn_res18-1deconv_1xb32-30e',
        'td-ogn_res18-2deconv_1xb32-30e',
        'td-hm_res18-3deconv_1xb32-30e',
        'simcc_res18_1xb32-30e',
        'rtmcc_res18_1xb32-30e',
    ]
)
_full = ' '.join(
    f'configs/ogn_topdown/td-ogn_{name}.py'
    for name in [
        'res50-1deconv_8xb8-22e_coco-256x192',
        'res50-2deconv_8xb8-22e_coco-256x192',
        'res50-1deconv_8xb8-22e_coco-512x384-gbg',
        'res50-2deconv_8xb8-22e_coco-512x384-gbg',
        'res101-2deconv_8xb8-22e_coco-512x384-gbg',
        'res152-2deconv_8xb8-22e_coco-512x384-gbg',
        'hrnet-w32_8xb64-210e_coco-256x192',
    ]
)
smoke = [
    f'python tools/benchmarks/benchmark_{name}.py {options}'
    for name, options in _scripts.items()
] + [_cost.format(_laptop) + ' --rounds 2']
mini = [
    *[f'python tools/benchmarks/benchmark_{name}.py' for name in _scripts],
    'python tools/benchmarks/benchmark_export.py',
    _cost.format(_laptop),
]
full = [
    *mini[:-1],
    'python tools/benchmarks/benchmark_keypoint_rcnn.py --size r50',
    _cost.format(_full),
]
