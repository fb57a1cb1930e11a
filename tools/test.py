"""Test a model: ``python tools/test.py CONFIG CHECKPOINT``."""

import argparse

from mmengine.model import is_model_wrapper

from ogn_mm.engine.atomic_write import check_target, dump_atomically
from ogn_mm.engine.checkpoint import require_checkpoint
from ogn_mm.engine.launch import (
    build_parser,
    build_runner,
    load_config,
    run_tool,
)
from ogn_mm.engine.provenance import describe_test
from ogn_mm.models.tracking import CompositeModel
from ogn_mm.models.utils import has_model


def parse_args(argv=None):
    parser = build_parser('Test a pose model')
    parser.add_argument(
        'checkpoint',
        nargs='?',
        help='checkpoint file; only a video model, whose parts name theirs, needs none',
    )
    parser.add_argument('--out', help='write the metrics to this .json or .pkl file')
    parser.add_argument(
        '--dump',
        help='write the predictions to this .pkl file, and to FILE.pkl.json what was '
        'tested and how long it took, for tools/analysis_tools/report.py',
    )
    parser.add_argument(
        '--describe',
        help='write what was tested to this .json file, without --dump too',
    )
    args = parser.parse_args(argv)
    args.checkpoint = args.checkpoint or None  # '' from dist_test.sh
    return args


def merge_args(cfg, args: argparse.Namespace):
    """Merge the arguments of testing alone into the config."""
    if args.checkpoint is None and not has_model(cfg, CompositeModel):
        raise ValueError('CHECKPOINT is missing: the model would have random weights.')
    cfg.load_from = args.checkpoint
    cfg.resume = False
    if args.checkpoint:
        require_checkpoint(args.checkpoint)
    check_target('--out', args.out, ('.json', '.pkl'))
    check_target('--dump', args.dump, ('.pkl', '.pickle'))
    check_target('--describe', args.describe, ('.json',))
    if args.dump:
        metrics = cfg.test_evaluator
        metrics = list(metrics) if isinstance(metrics, (list, tuple)) else [metrics]
        dump = dict(type='DumpResults', out_file_path=args.dump)
        cfg.test_evaluator = [*metrics, dump]


def test(args: argparse.Namespace):
    cfg = load_config(args)
    merge_args(cfg, args)
    runner = build_runner(cfg)
    if args.checkpoint is None:
        model = runner.model
        (model.module if is_model_wrapper(model) else model).check_weights()
    metrics = runner.test()
    if runner.rank != 0:
        return
    if args.out:
        dump_atomically(metrics, args.out)
    record = describe_test(runner, metrics)
    for path in filter(None, [args.dump and f'{args.dump}.json', args.describe]):
        dump_atomically(record, path, indent=1)


def main(argv=None):
    run_tool(test, parse_args(argv))


if __name__ == '__main__':
    main()
