"""Catching misspelt config keys that MMEngine would silently ignore.

Arguments of registered classes are checked by their constructors. What remains are
dicts that are read key by key: there, a key that is unknown but nearly one of the
known ones is taken for a mistake. Other keys are the config's own variables.
"""

import copy
import difflib
import inspect

from mmengine.config import Config
from mmengine.runner import Runner

from .argument_check import check_arguments

RUNNER_KEYS = {
    *inspect.signature(Runner.__init__).parameters,
    'runner_type',
    'custom_imports',
    'model_wrapper_cfg',
    'find_unused_parameters',
    'sync_bn',
    'compile',
    'activation_checkpointing',
    'efficient_conv_bn_eval',
} - {'self', 'cfg'}

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


def find_near_miss(key: str, known) -> str | None:
    """The known key that ``key`` is most likely meant to be.

    A known key with a suffix (``val_evaluator_abs``) is a name of its own.
    """
    if key in known:
        return None
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.82)
    return near[0] if near and not key.startswith(f'{near[0]}_') else None


def check_config(cfg: Config):
    """Check the keys that MMEngine reads one by one.

    Raises:
        ValueError: A key is nearly a known one, ``model`` is missing, or a class of
            this package gets an argument of a wrong type.
    """
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


def check_overrides(cfg: Config, options: dict, name: str = '--cfg-options'):
    """Check that options override what is there, or add what is new.

    Args:
        cfg (Config): The config.
        options (dict): New values by dotted keys.
        name (str): What the user calls the options.

    Raises:
        ValueError: A part of a dotted key does not exist, but nearly does.
    """
    for option in options:
        node = cfg
        for part in option.split('.'):
            if isinstance(node, (list, tuple)) and part.isdigit():
                if int(part) >= len(node):
                    break
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
        if of_codec and before:
            after = cfg.codec.to_dict()
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


def type_name(config: dict) -> str:
    """The name, without its scope, of what a config builds; '' if it has no type.

    Args:
        config (dict): Its ``type`` is a name or, as in MMEngine's new configs, a class.
    """
    kind = config.get('type', '')
    return getattr(kind, '__name__', str(kind)).rpartition('.')[2]
