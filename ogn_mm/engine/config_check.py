"""Catching misspelt config keys that MMEngine would silently ignore.

Arguments of registered classes are checked by their constructors. What remains are
dicts that are read key by key: there, a key that is unknown but nearly one of the
known ones is taken for a mistake. Other keys are the config's own variables.
"""

import copy
import difflib

from mmengine.config import Config

from .argument_check import check_arguments
from .config_agreement import (
    DATALOADERS,
    RUNNER_KEYS,
    check_agreement,
    check_variables,
    find_value,
    split_config,
    type_name,
    walk,
)

KNOWN_KEYS = {
    '': RUNNER_KEYS,
    'env_cfg': {'cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit'},
    'auto_scale_lr': {'enable', 'base_batch_size'},
    'default_hooks': {
        'runtime_info',
        'timer',
        'sampler_seed',
        'logger',
        'param_scheduler',
        'checkpoint',
        'visualization',
        'badcase',
        'sync_buffers',
        'epoch_seed',
        'preemption',
        'check_keypoints',
        'check_loss',
        'require_weights',
    },
    'model.test_cfg': {
        'flip_test',
        'flip_mode',
        'shift_coords',
        'shift_heatmap',
        'output_heatmaps',
        'output_keypoint_indices',
    },
    'model.test_cfg.rpn': {
        'nms',
        'nms_pre',
        'max_per_img',
        'min_bbox_size',
        'box_filter',
    },
    'model.test_cfg.rcnn': {
        'score_thr',
        'nms',
        'max_per_img',
        'mask_thr_binary',
        'box_filter',
    },
}

# What has to be a dict where it is set at all.
DICTS = (
    'model',
    *DATALOADERS,
    'train_cfg',
    'val_cfg',
    'test_cfg',
    'optim_wrapper',
    'default_hooks',
    'env_cfg',
    'randomness',
)

# Of MMPose 0.x and MMDetection 2.x, which MMEngine does not read: where they went.
OLD_KEYS = {
    'optimizer': '`optim_wrapper.optimizer`',
    'optimizer_config': '`optim_wrapper.clip_grad`',
    'lr_config': '`param_scheduler`',
    'total_epochs': '`train_cfg.max_epochs`',
    'data': '`train_dataloader`, `val_dataloader` and `test_dataloader`',
    'evaluation': '`train_cfg.val_interval` and `val_evaluator`',
    'checkpoint_config': '`default_hooks.checkpoint`',
    'log_config': '`default_hooks.logger`',
    'fp16': "`optim_wrapper.type='AmpOptimWrapper'` or --amp, and `fp16=None`",
    'momentum_config': '`param_scheduler`',
    'resume_from': '`load_from` and `resume=True`, or --resume',
    'runner': '`train_cfg`',
    'seed': '`randomness.seed`',
    'deterministic': '`randomness.deterministic`',
    'cudnn_benchmark': '`env_cfg.cudnn_benchmark`',
}


def read_config(path: str, *options: dict, name: str = '--cfg-options') -> Config:
    """Read a config file, merge options into it, and check what it says.

    Args:
        path (str): The file.
        *options (dict): New values by dotted keys; of two the later one counts.
        name (str): What the user calls the options.

    Raises:
        ValueError: Keys are misspelt, values are of a wrong type, or the config says
            one thing and would build another (see :mod:`.config_agreement`).
    """
    cfg = Config.fromfile(path)
    check_kinds(cfg)
    check_agreement(cfg)  # says more than the next about a codec
    check_variables(cfg)
    merge_options(cfg, *options, name=name)
    check_config(cfg)
    return cfg


def find_near_miss(key: str, known) -> str | None:
    """The known key that ``key`` is most likely meant to be.

    A known key with a suffix (``val_evaluator_abs``) is a name of its own.
    """
    if key in known:
        return None
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.82)
    return near[0] if near and not key.startswith(f'{near[0]}_') else None


def check_kinds(cfg: Config) -> None:
    """Raise ValueError if something that has to be a dict is none."""
    for key in DICTS:
        if cfg.get(key) is not None and not hasattr(cfg[key], 'keys'):
            raise ValueError(f'`{key}` should be a dict, found {cfg[key]!r}')


def check_config(cfg: Config):
    """Check the keys that MMEngine reads one by one.

    Raises:
        ValueError: A key is nearly a known one, ``model`` is missing, or a class of
            this package gets an argument of a wrong type, or a setting that stands in
            several places differs between them.
    """
    check_kinds(cfg)
    for path, known in KNOWN_KEYS.items():
        node = cfg
        for name in path.split('.') if path else ():
            node = node.get(name) or {}
        for key in node:
            near = find_near_miss(str(key), known)
            if near:
                field = f'{path}.{key}' if path else key
                raise ValueError(f'unknown key `{field}`; did you mean `{near}`?')
    if 'model' not in cfg:
        raise ValueError('the config has no `model`.')
    check_arguments(cfg._cfg_dict)
    check_agreement(cfg)


def check_training(cfg: Config) -> None:
    """Check what a config says about training alone.

    Raises:
        ValueError: It has a key of an older release, and nothing follows its value.
    """
    read, variables = split_config(cfg)
    if type_name(cfg.get('optim_wrapper') or {}).startswith('Amp'):
        variables.pop('fp16', None)  # it is what is trained in
    for key in OLD_KEYS.keys() & variables.keys():
        value = variables[key]
        if value is not None and all(found != value for _, found in walk(read)):
            raise ValueError(
                f'nothing reads `{key}`, a key of MMPose 0.x and MMDetection 2.x; '
                f'set {OLD_KEYS[key]} instead'
            )


def describe_schedule(cfg: Config) -> str | None:
    """A sentence about a schedule that ends before or after the training, if it does.

    Schedules in iterations, such as warm-ups, and those without an end do not count.
    """
    schedule = cfg.get('param_scheduler') or []
    schedule = schedule if isinstance(schedule, (list, tuple)) else [schedule]
    ends = [
        part['end'] for part in schedule if part.get('by_epoch', True) and 'end' in part
    ]
    epochs = (cfg.get('train_cfg') or {}).get('max_epochs')
    if not ends or epochs in (None, max(ends)):
        return None
    return (
        f'`param_scheduler` ends with epoch {max(ends)}, but training with epoch '
        f'{epochs} (`train_cfg.max_epochs`)'
    )


def check_overrides(cfg: Config, options: dict, name: str = '--cfg-options'):
    """Check that options override what is there, or add what is new.

    Args:
        cfg (Config): The config.
        options (dict): New values by dotted keys.
        name (str): What the user calls the options.

    Raises:
        ValueError: A part of a dotted key does not exist, but nearly does; or nothing
            would follow the option.
    """
    for option in options:
        if options[option] is not None or option not in OLD_KEYS:
            check_followed(cfg, option, name)
        node = cfg
        for part in option.split('.'):
            if isinstance(node, (list, tuple)):
                if not part.isdigit() or int(part) >= len(node):
                    raise ValueError(
                        f'{name} {option}: `{part}` is no place in a list of '
                        f'{len(node)}, which are 0 to {len(node) - 1}'
                    )
                node = node[int(part)]
                continue
            if not hasattr(node, 'keys'):
                break
            known = set(node.keys()) | (RUNNER_KEYS if node is cfg else set())
            near = find_near_miss(part, known)
            if near:
                raise ValueError(
                    f'{name} {option}: unknown key `{part}`; did you mean `{near}`?'
                )
            if part not in node:
                break
            node = node[part]


def check_followed(cfg: Config, option: str, name: str) -> None:
    """Raise ValueError if an option names what nothing reads, as a file's variable."""
    variable = option.partition('.')[0]
    if variable in RUNNER_KEYS or variable == 'codec':
        return
    if variable not in cfg:
        near = find_near_miss(variable, {*RUNNER_KEYS, *cfg})
        if near:
            return  # which is the better thing to say
        raise ValueError(f'{name} {option}: nothing reads `{variable}`')
    read, variables = split_config(cfg)
    places = find_value(read, variables[variable])
    if places:  # without, it may be for a hook of the user's own
        raise ValueError(
            f'{name} {option}: `{variable}` is a variable of the config file, which '
            f'nothing reads any more; set `{"`, `".join(places)}` instead'
        )


def merge_options(cfg: Config, *groups: dict, name: str = '--cfg-options') -> None:
    """Merge options into a config; those of ``codec`` reach every place that uses it.

    Args:
        cfg (Config): Changed in place.
        *groups (dict): New values by dotted keys; of two the later one counts.
        name (str): What the user calls the options.

    Raises:
        ValueError: A part of a dotted key does not exist, but nearly does.
    """
    before = copy.deepcopy(cfg.get('codec'))
    for of_codec in (True, False):
        for group in groups:
            chosen = {
                key: value
                for key, value in group.items()
                if (key.partition('.')[0] == 'codec') is of_codec
            }
            check_overrides(cfg, chosen, name)
            cfg.merge_from_dict(chosen)
        if of_codec and before and before != cfg.codec:
            after = cfg.to_dict()['codec']
            for key, value in cfg.to_dict().items():
                cfg[key] = replace(value, before, after)


def replace(node, old, new):
    """A nested structure in which ``new`` stands for every part equal to ``old``."""
    if node == old:
        return new
    if isinstance(node, dict):
        return {key: replace(value, old, new) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return type(node)(replace(value, old, new) for value in node)
    return node
