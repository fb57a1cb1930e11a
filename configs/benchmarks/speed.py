# Times of our parts beside their rivals', as ratios in one run. Nothing else should run.
_scripts = {
    'codec': '--sizes 12x16 24x32',
    'head': '',
    'pose_nms': '--poses 20 100',
    'boxes': '--counts 1000 5000',
    'tracking': '--people 5 20',
    'keypoint_rcnn': '--images 1',
}
smoke = [
    f'python tools/benchmarks/benchmark_{name}.py {options} --rounds 2'
    for name, options in _scripts.items()
]
mini = [f'python tools/benchmarks/benchmark_{name}.py' for name in _scripts]
full = [*mini, 'python tools/benchmarks/benchmark_keypoint_rcnn.py --size r50']
