"""Export a two-stage offset-guided network, decoding included, to ONNX or TorchScript.

    python tools/export.py CONFIG CHECKPOINT --out model.onnx     # or model.pt

The suffix decides. The graph takes crops of people, uint8 (batch, 3, H, W) in BGR, and
returns their keypoints in pixels of the crop and the scores, as tools/test.py finds
them: with the flip test if the config has one, which
``--cfg-options model.test_cfg.flip_test=False`` leaves out. The batch has any size. How
people are cropped, the names of the keypoints and what a score means stand in the file
(docs/export.md shows how to use it).

Before it is written, the graph is run on random crops beside the network. If keypoints
or scores differ by more than 1e-3 (pixels), nothing is written.
"""

import argparse
from pathlib import Path

from mmengine.config import DictAction
from mmengine.registry import init_default_scope
from mmengine.runner import CheckpointLoader

import ogn_mm  # noqa: F401
from ogn_mm.apis.export import (
    KeypointGraph,
    build_exportable,
    compare,
    describe,
    example_crops,
    pack_crops,
)
from ogn_mm.apis.export_formats import FORMATS, require_onnx
from ogn_mm.engine.atomic_write import write_atomically
from ogn_mm.engine.checkpoint import find_weights, require_checkpoint, require_weights
from ogn_mm.engine.config_check import read_config
from ogn_mm.engine.launch import run_tool

LIMIT = 1e-3  # pixels, and of scores
BATCHES = (1, 3, 8)


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--out', type=Path, required=True, help='.onnx or .pt file')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE'
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the whole traceback of an error'
    )
    args = parser.parse_args(argv)
    if args.out.suffix not in FORMATS:
        parser.error(f'--out {args.out}: must end in {" or ".join(FORMATS)}')
    return args


def load_model(args: argparse.Namespace):
    """The config, and its network with the checkpoint's weights."""
    require_checkpoint(args.checkpoint)
    cfg = read_config(args.config, args.cfg_options)
    init_default_scope('mmpose')
    content = CheckpointLoader.load_checkpoint(args.checkpoint, 'cpu')
    weights = find_weights(content, args.checkpoint)
    model = build_exportable(cfg, content, args.checkpoint)
    require_weights(model, weights, args.checkpoint)
    return cfg, model


def export(args: argparse.Namespace):
    if args.out.suffix == '.onnx':
        require_onnx()
    cfg, model = load_model(args)
    # what does not run at all says so better here than through an exporter
    model.test_step(pack_crops(model, example_crops(model, 1)))
    write, load = FORMATS[args.out.suffix]
    content = write(KeypointGraph(model), describe(cfg, model))

    crops = [example_crops(model, people, seed=people) for people in BATCHES]
    found = compare(model, load(content), crops)
    measured = (
        f'largest difference from PyTorch {found.pixels:.1e} pixels, score '
        f'{found.score:.1e} ({found.compared} keypoints in batches of '
        f'{", ".join(map(str, BATCHES))}; {found.ties} more are ties)'
    )
    same = found.compared and found.pixels <= LIMIT and found.score <= LIMIT
    if not same:
        raise ValueError(f'{args.out} was not written: {measured}')
    write_atomically(args.out, content)
    print(f'{args.out}: {len(content) / 1e6:.1f} MB, {measured}')


def main(argv=None):
    run_tool(export, parse_args(argv))


if __name__ == '__main__':
    main()
