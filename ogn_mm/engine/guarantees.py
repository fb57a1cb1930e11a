"""What every training and test is given, whatever its config says."""

import copy

from mmengine.config import Config

from .config_agreement import type_name

# By the names under which `default_hooks` tunes them, or, by None, leaves them out.
GUARANTEES = {
    'sync_buffers': 'mmengine.SyncBuffersHook',
    'epoch_seed': 'mmpose.EpochSeedHook',
    'preemption': 'mmpose.PreemptionHook',
    'check_keypoints': 'mmpose.CheckKeypointsHook',
    'check_loss': 'mmpose.CheckLossHook',
    'require_weights': 'mmpose.RequireWeightsHook',
}
SEEDING = 'mmpose.SeedAugmentation'


def add_guarantees(cfg: Config) -> Config:
    """A copy of a config with what no config should forget.

    - The hooks of :data:`GUARANTEES` join ``default_hooks``, each with the arguments
      that stand there under its name, as in
      ``default_hooks=dict(check_loss=dict(max_skips=10), preemption=None)``. None
      leaves one out; one that ``custom_hooks`` names is left as it stands there.
    - ``default_hooks.checkpoint`` becomes a ``ResumableCheckpointHook`` if it is
      MMEngine's ``CheckpointHook``; ``type='mmengine.CheckpointHook'`` keeps that one.
    - :class:`~ogn_mm.datasets.transforms.SeedAugmentation` goes before every training
      pipeline that lacks it, unless ``epoch_seed`` is left out.

    The copy names all of it, so that MMPose's and MMDetection's own tools train alike
    with the config that a work directory keeps. To do it twice changes nothing.

    Args:
        cfg (Config): Of a model with its data.

    Raises:
        ValueError: ``default_hooks`` and ``custom_hooks`` name the same hook.
    """
    cfg = copy.deepcopy(cfg)
    hooks = dict(cfg.get('default_hooks') or {})
    for name, hook in hooks.items():
        if hook is not None and not hasattr(hook, 'keys'):
            raise ValueError(
                f'`default_hooks.{name}` should be a dict, or None for no hook, found '
                f'{hook!r}'
            )
    if is_plain_saver(hooks.setdefault('checkpoint', dict(type='CheckpointHook'))):
        hooks['checkpoint'] = {
            **hooks['checkpoint'],
            'type': 'mmpose.ResumableCheckpointHook',
        }
    named = {type_name(hook) for hook in cfg.get('custom_hooks') or ()}
    for name, kind in GUARANTEES.items():
        given, in_custom = hooks.get(name, {}), kind.partition('.')[2] in named
        if name in hooks and in_custom:
            raise ValueError(
                f'`default_hooks.{name}` and `custom_hooks` are both about '
                f'{kind.partition(".")[2]}; take it out of `custom_hooks`'
            )
        if not in_custom:
            hooks[name] = None if given is None else {'type': kind, **given}
    cfg.default_hooks = hooks
    if hooks.get('epoch_seed', ...) is not None and cfg.get('train_dataloader'):
        seed_pipelines(cfg.train_dataloader.dataset)
    return cfg


def without_left_out(hooks: dict | None) -> dict:
    """Default hooks without the guarantees that are None, which MMEngine refuses."""
    return {
        name: hook
        for name, hook in (hooks or {}).items()
        if hook is not None or name not in GUARANTEES
    }


def is_plain_saver(hook: dict | None) -> bool:
    """Whether a hook is ``CheckpointHook``, and not asked for with MMEngine's scope."""
    if hook is None or hook.get('type') == 'mmengine.CheckpointHook':
        return False
    return type_name(hook) == 'CheckpointHook'


def seed_pipelines(dataset: dict) -> None:
    """Put ``SeedAugmentation`` first in a data set's pipelines that have none.

    Those of wrapped data sets are among them. A wrapper around one data set, as
    MMDetection's for mixing images, goes on from the random numbers of that one.

    Args:
        dataset (dict): A data set's config, changed in place.
    """
    wrapped = [dataset['dataset']] if 'dataset' in dataset else []
    pipeline = dataset.get('pipeline')
    seeded = [type_name(step) for step in pipeline or ()]
    if pipeline and not wrapped and 'SeedAugmentation' not in seeded:
        dataset['pipeline'] = [dict(type=SEEDING), *pipeline]
    for part in (*wrapped, *dataset.get('datasets', ())):
        seed_pipelines(part)
