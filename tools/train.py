"""Train a model: ``python tools/train.py CONFIG``."""

import argparse

from mmengine.device import get_device
from mmengine.runner import find_latest_checkpoint

from ogn_mm.engine.checkpoint import require_checkpoint
from ogn_mm.engine.config_check import check_training, describe_schedule
from ogn_mm.engine.launch import (
    build_parser,
    build_runner,
    load_config,
    run_tool,
)


def parse_args(argv=None):
    parser = build_parser('Train a pose model')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='go on from this checkpoint, or from the last one in the work dir',
    )
    parser.add_argument(
        '--amp', action='store_true', help='train in mixed precision (no CPU)'
    )
    parser.add_argument(
        '--no-validate', action='store_true', help='do not validate while training'
    )
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate by the actual to the base batch size, of all '
        'processes and accumulated batches together',
    )
    return parser.parse_args(argv)


def merge_args(cfg, args: argparse.Namespace):
    """Merge the arguments of training alone into the config."""
    if args.resume:
        cfg.resume = True
        if args.resume != 'auto':
            cfg.load_from = args.resume
        elif find_latest_checkpoint(cfg.work_dir):
            cfg.load_from = None
        else:  # the first time, `load_from` is the start
            cfg.resume = False
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.auto_scale_lr:
        if 'base_batch_size' not in (cfg.get('auto_scale_lr') or {}):
            raise ValueError('--auto-scale-lr needs `auto_scale_lr.base_batch_size`.')
        cfg.auto_scale_lr.enable = True
    if args.amp:
        if get_device() == 'cpu':
            raise ValueError('--amp needs an accelerator (e.g. CUDA); there is none.')
        kind = cfg.optim_wrapper.get('type', 'OptimWrapper')
        if kind not in ('OptimWrapper', 'AmpOptimWrapper'):
            raise ValueError(f'--amp does not work with `optim_wrapper.type` {kind}.')
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')


def train(args: argparse.Namespace):
    cfg = load_config(args)
    merge_args(cfg, args)
    check_training(cfg)
    if cfg.get('load_from'):
        require_checkpoint(cfg.load_from)
    runner = build_runner(cfg)
    mismatch = describe_schedule(cfg)
    if mismatch:
        runner.logger.warning(mismatch)
    runner.train()


def main(argv=None):
    run_tool(train, parse_args(argv))


if __name__ == '__main__':
    main()
