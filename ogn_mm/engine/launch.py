"""From command line and config to a Runner, for ``tools/train.py`` and ``test.py``."""

import argparse
import contextlib
import datetime
import errno
import gc
import os
import os.path as osp
import re
import sys
import traceback
from collections.abc import Callable

import torch
import torch.distributed
from mmengine.config import Config, ConfigDict, DictAction
from mmengine.device import get_device
from mmengine.dist import init_dist, is_distributed
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from .config_agreement import type_name
from .config_check import read_config
from .guarantees import add_guarantees, without_left_out

PACKAGE = osp.dirname(osp.dirname(osp.abspath(__file__))) + osp.sep

# No room on the device, in the user's quota, or in a file by `ulimit -f`.
FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def build_parser(description: str) -> argparse.ArgumentParser:
    """The arguments that training and testing have in common."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--work-dir', help='folder of logs and results (work_dirs/CONFIG by default)'
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        default={},
        metavar='KEY=VALUE',
        help='override settings of the config, e.g. train_dataloader.batch_size=16 '
        'randomness.seed=1 key="[a,b]"',
    )
    parser.add_argument('--show-dir', help='draw predictions into this folder')
    parser.add_argument(
        '--show', action='store_true', help='show predictions in a window'
    )
    parser.add_argument(
        '--interval', type=int, default=1, help='draw every n-th sample only'
    )
    parser.add_argument(
        '--wait-time', type=float, default=1, help='seconds that a window stays open'
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='how the processes of a distributed job were started',
    )
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    parser.add_argument(
        '--debug', action='store_true', help='show the whole traceback of an error'
    )
    return parser


def load_config(args: argparse.Namespace) -> Config:
    """Read the config and merge into it the arguments of :func:`build_parser`.

    Raises:
        ValueError: A key is misspelt, or the config lacks what an argument needs.
    """
    cfg = read_config(args.config, args.cfg_options)
    cfg.launcher = args.launcher
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    default_dir = osp.join('work_dirs', osp.splitext(osp.basename(args.config))[0])
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or default_dir

    if args.show or args.show_dir:
        hook = cfg.get('default_hooks', {}).get('visualization')
        if hook is None:
            raise ValueError(
                '--show and --show-dir need `default_hooks.visualization`, '
                'e.g. dict(type="PoseVisualizationHook").'
            )
        detector = type_name(hook).endswith('DetVisualizationHook')
        hook.update(
            {
                'draw' if detector else 'enable': True,
                'test_out_dir' if detector else 'out_dir': args.show_dir,
            },
            show=args.show,
            interval=args.interval,
            wait_time=args.wait_time,
        )
    return cfg


def use_gloo_without_accelerator(cfg: Config):
    """Let a distributed job run on the CPU.

    MMEngine's launchers select a CUDA device in any case; they are passed by if the
    process group exists already. With an accelerator nothing is changed.

    Raises:
        ValueError: A launcher other than ``pytorch`` is used without accelerator.
    """
    if cfg.launcher == 'none' or get_device() != 'cpu' or is_distributed():
        return
    if cfg.launcher != 'pytorch':
        raise ValueError(
            f'--launcher {cfg.launcher} needs an accelerator and there is none; start '
            'CPU jobs with tools/dist_train.sh or tools/dist_test.sh.'
        )
    wrapper = cfg.get('model_wrapper_cfg') or dict(
        type='MMDistributedDataParallel',
        broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False),
    )
    cfg.model_wrapper_cfg = dict(wrapper, device_ids=None)
    seconds = cfg.get('env_cfg', {}).get('dist_cfg', {}).get('timeout', 1800)
    torch.distributed.init_process_group(
        'gloo', timeout=datetime.timedelta(seconds=seconds)
    )


def check_device(device: str | None) -> None:
    """Raise ValueError if ``--device`` names what torch cannot use here."""
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).strip().partition('\n')[0]
        raise ValueError(f'--device {device}: {reason}') from error


def start_processes(cfg: Config):
    """Let a job's processes find each other, where this is needed before its Runner."""
    use_gloo_without_accelerator(cfg)
    if cfg.launcher != 'none' and not is_distributed():
        init_dist(cfg.launcher, **cfg.get('env_cfg', {}).get('dist_cfg', {}))


@RUNNERS.register_module()
class OGNRunner(Runner):
    """MMEngine's Runner with what no config should forget, see :mod:`.guarantees`.

    It also takes models without weights to learn, such as a tracker of annotated
    people, which DistributedDataParallel refuses, though processes may share its
    videos; and ``auto_scale_lr`` counts the batches whose gradients are accumulated as
    one.
    """

    @classmethod
    def from_cfg(cls, cfg: Config) -> 'OGNRunner':
        return super().from_cfg(add_guarantees(cfg))

    def register_default_hooks(self, hooks: dict | None = None) -> None:
        super().register_default_hooks(without_left_out(hooks))

    def scale_lr(self, optim_wrapper, auto_scale_lr=None):
        super().scale_lr(optim_wrapper, auto_scale_lr)
        # of several optimizers each would have its own
        counts = getattr(optim_wrapper, '_accumulative_counts', 1)
        if counts > 1 and (auto_scale_lr or {}).get('enable'):
            self.logger.info(f'{counts} batches are accumulated: LR times {counts}.')
            for group in optim_wrapper.optimizer.param_groups:
                group['lr'] *= counts

    def wrap_model(self, model_wrapper_cfg, model):
        if not any(weight.requires_grad for weight in model.parameters()):
            return model.to(get_device())
        return super().wrap_model(model_wrapper_cfg, model)


def build_runner(cfg: Config) -> Runner:
    """Build the config's Runner, distributed if ``cfg.launcher`` says so.

    Another one than :class:`OGNRunner` has the same guarantees.
    """
    use_gloo_without_accelerator(cfg)
    if 'runner_type' not in cfg:
        return OGNRunner.from_cfg(cfg)
    cfg = add_guarantees(cfg)
    if type_name(dict(type=cfg.runner_type)) != OGNRunner.__name__:
        cfg.default_hooks = without_left_out(cfg.default_hooks)
    return RUNNERS.build(cfg)


def run_tool(tool: Callable[[argparse.Namespace], None], args: argparse.Namespace):
    """Call ``tool(args)``; end with one sentence where the user's input is at fault.

    That is any error but those inside an iteration, i.e. in config, checkpoint,
    data or evaluation, a full disk anywhere, and a loss that is not finite.
    ``--debug`` shows their traceback, too.
    """
    try:
        tool(args)
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        unexpected = any(frame.name == 'run_iter' for frame in frames)
        if args.debug or (unexpected and not is_explained(error)):
            raise
        sys.exit(f'error: {args.config}: {summarize_error(error, args.config)}')
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
        # The Runner, in cycles of references, holds the model and this the process
        # group. Its threads end with it; one that releases a tensor while the
        # interpreter exits would abort the program.
        gc.collect()


def is_explained(error: Exception) -> bool:
    """Whether an error inside an iteration is no fault of the program."""
    full = getattr(error, 'errno', None) in FULL_DISK
    if full or isinstance(error, FloatingPointError):
        return True
    # what this package itself refuses, as maps of another size than the codec's
    raised_in = traceback.extract_tb(error.__traceback__)[-1].filename
    return isinstance(error, ValueError) and raised_in.startswith(PACKAGE)


def summarize_error(error: Exception, config: str) -> str:
    """An error's message in one line, with the config's field where it is known."""
    message = str(error.args[0]) if isinstance(error, KeyError) else str(error)
    if 'DataLoader worker process' in message:  # the worker's own traceback follows
        message = message.strip().splitlines()[-1].partition(': ')[2]
    message = ' '.join(message.split())
    if ' ' not in message:
        message = f'{type(error).__name__}: {message}'
    built = class_in_making(error)
    # other errors are about what users wrote, and say so
    if built not in message and not isinstance(error, (ValueError, OSError)):
        message = f'{built}: {message}'
    unexpected = re.search(r"unexpected keyword argument '(\w+)'", message)
    if unexpected:
        with contextlib.suppress(Exception):
            paths = find_key(Config.fromfile(config)._cfg_dict, unexpected[1])
            message += f' (see `{"`, `".join(paths)}`)' if paths else ''
    return message


def class_in_making(error: Exception) -> str:
    """The class whose constructor, called by a registry, failed; '' for none."""
    made, trace = '', error.__traceback__
    while trace:
        frame, trace = trace.tb_frame, trace.tb_next
        if frame.f_code.co_name == 'build_from_cfg':
            made = getattr(frame.f_locals.get('obj_cls'), '__name__', made)
    return made


def find_key(node, key: str, path: str = '') -> list[str]:
    """Dotted paths at which ``key`` occurs in nested dicts and lists."""
    if isinstance(node, (dict, ConfigDict)):
        items = list(node.items())
    elif isinstance(node, (list, tuple)):
        items = list(enumerate(node))
    else:
        return []
    found = []
    for name, value in items:
        here = f'{path}.{name}' if path else str(name)
        found += [here] if name == key else find_key(value, key, here)
    return found
