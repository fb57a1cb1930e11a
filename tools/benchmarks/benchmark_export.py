r"""Time exported graphs beside PyTorch, from crops to keypoints.

    OMP_NUM_THREADS=1 python tools/benchmarks/benchmark_export.py [CONFIG]

PyTorch is `model.test_step`, as tools/test.py calls it, on one CPU thread like its
rivals. Weights are random: they change no time.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

import ogn_mm  # noqa: F401
from ogn_mm.apis.export import (
    KeypointGraph,
    build_exportable,
    example_crops,
    pack_crops,
)
from ogn_mm.apis.export_formats import FORMATS
from timing import compare, format_table, median_ratio, use_one_thread

CONFIG = (
    Path(__file__).parents[2]
    / 'configs/ogn_topdown/td-ogn_res50-1deconv_8xb8-22e_coco-256x192.py'
)
NAMES = {'.onnx': 'ONNX Runtime', '.pt': 'TorchScript'}
BASELINE = 'PyTorch'


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', nargs='?', default=CONFIG)
    parser.add_argument('--formats', nargs='+', choices=FORMATS, default=[*FORMATS])
    parser.add_argument('--people', nargs='+', type=int, default=[1, 8])
    parser.add_argument('--rounds', type=int, default=10)
    return parser.parse_args(argv)


def rows(model, exported, people, rounds):
    """Rows of people, runtime, ms a batch, ms a person and the ratio to PyTorch."""
    crops = example_crops(model, people)
    batch = pack_crops(model, crops)
    calls = {BASELINE: lambda: model.test_step(batch)}
    for name, run in exported.items():
        calls[name] = lambda run=run: run(crops)
    seconds = compare(calls, rounds)
    for name, values in seconds.items():
        time = 1e3 * np.median(values)
        ratio = median_ratio(values, seconds[BASELINE])
        yield people, name, time, time / people, ratio


@torch.no_grad()
def main(argv=None):
    args = parse_args(argv)
    use_one_thread()
    init_default_scope('mmpose')
    torch.manual_seed(0)
    model = build_exportable(Config.fromfile(args.config))
    exported = {}
    for suffix in args.formats:
        write, load = FORMATS[suffix]
        exported[NAMES[suffix]] = load(write(KeypointGraph(model), {}))
    table = [row for n in args.people for row in rows(model, exported, n, args.rounds)]
    header = ('people', 'runtime', 'ms', 'ms a person', f'ratio to {BASELINE}')
    print(format_table(header, table))


if __name__ == '__main__':
    main()
