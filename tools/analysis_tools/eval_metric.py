"""Measure the predictions of a test again, with another metric and without the network.

    python tools/test.py CONFIG CHECKPOINT --dump DIR/predictions.pkl
    python tools/analysis_tools/eval_metric.py CONFIG DIR/predictions.pkl \\
        --cfg-options test_evaluator.nms_thr=0.75

PREDICTIONS may also be COCO keypoint results; scores and suppression of poses are then
those of the file.
"""

import argparse
import tempfile
from pathlib import Path

from mmengine.config import DictAction
from mmpose.registry import DATASETS

from ogn_mm.engine.atomic_write import check_target, dump_atomically
from ogn_mm.engine.launch import run_tool
from ogn_mm.evaluation import evaluate_predictions, load_test_config


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file of the test')
    parser.add_argument(
        'predictions', type=Path, help='.pkl file of tools/test.py --dump, or .json'
    )
    parser.add_argument('--out', help='write the metrics to this .json or .pkl file')
    parser.add_argument(
        '--work-dir', help='keep the COCO keypoint results in this folder'
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE'
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the whole traceback of an error'
    )
    return parser.parse_args(argv)


def evaluate(args: argparse.Namespace):
    check_target('--out', args.out, ('.json', '.pkl'))
    cfg = load_test_config(args.config, args.cfg_options)
    dataset = DATASETS.build(dict(cfg.test_dataloader.dataset, lazy_init=True))
    with tempfile.TemporaryDirectory() as scratch:
        _, metrics, _ = evaluate_predictions(
            cfg,
            dataset.ann_file,
            dataset.metainfo,
            args.predictions,
            args.work_dir or scratch,
        )
    for name, value in metrics.items():
        print(f'{name}: {value:.4f}')
    if args.out:
        dump_atomically(metrics, args.out)


def main(argv=None):
    run_tool(evaluate, parse_args(argv))


if __name__ == '__main__':
    main()
