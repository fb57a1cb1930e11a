"""Going on from a checkpoint with settings that have changed since."""

import logging
import warnings

from mmengine.logging import print_log
from mmengine.optim import OptimWrapperDict
from mmengine.runner import EpochBasedTrainLoop

# What schedulers change while they run; the rest of their state are settings.
PROGRESS = {
    'last_step',
    '_global_step',
    '_last_value',
    # of ReduceOnPlateau
    'best',
    'num_bad_epochs',
    'cooldown_counter',
}


def adapt_to_settings(runner, checkpoint: dict) -> None:
    """Let a training go on as if the config's settings had held from its beginning.

    MMEngine restores iterations and schedules as they were: with another batch size,
    number of processes or images a schedule that counts iterations ends elsewhere, and
    a schedule or learning rate that was changed in the config is passed over. Here an
    epoch-based loop has as many iterations behind it as its epochs now have batches,
    and if schedules have other settings, or count iterations that have changed, all
    are run anew up to this point. What changes is logged; without changes nothing is
    done. Two things stay as they were: what a schedule has seen of metrics, and, with
    a warning, the optimizer's other settings, for some optimizers learn them.

    Args:
        runner (Runner): In training, its optimizer and schedulers built and not used.
            The schedules of several optimizers are left as they were.
        checkpoint (dict): As loaded, of a sound state; changed in place.

    Raises:
        ValueError: The optimizer is another one; or schedules have to be run anew, and
            one depends on metrics.
    """
    epochs, length, rest = find_place(runner, checkpoint)
    meta, schedulers = checkpoint['meta'], runner.param_schedulers
    before, now = meta['iter'], epochs * length + rest
    if now != before:
        print_log(
            f'An epoch has {length} batches: iterations are counted from {now} on, no '
            f'longer from {before}.',
            logger='current',
        )
        meta['iter'] = now
    if isinstance(runner.optim_wrapper, OptimWrapperDict):
        return
    schedulers = schedulers or []
    groups = list(
        zip(runner.optim_wrapper.param_groups, saved_groups(checkpoint), strict=False)
    )
    names = {scheduler.param_name for scheduler in schedulers}
    require_same_optimizer(groups, names)
    warn_of_settings(groups, names)
    counting = now != before and any(
        not scheduler.by_epoch and scheduler.end > min(now, before)
        for scheduler in schedulers
    )
    if counting or has_changed(schedulers, groups, checkpoint):
        run_anew(schedulers, epochs, length, rest)
        checkpoint['param_schedulers'] = [each.state_dict() for each in schedulers]
        take_over(groups, names)


def has_changed(schedulers: list, groups: list[tuple], checkpoint: dict) -> bool:
    """Whether schedules, or what they begin with, are not those of a checkpoint.

    Args:
        schedulers (list): The config's.
        groups (list[tuple[dict, dict]]): The optimizer's and the checkpoint's.
        checkpoint (dict): Schedules by metrics get their new settings.
    """
    saved = checkpoint.get('param_schedulers') or []
    for scheduler, state in zip(schedulers, saved, strict=False):
        if by_metrics(scheduler) and state.keys() <= vars(scheduler).keys():
            state.update(settings(vars(scheduler)))
    if list(map(settings, map(vars, schedulers))) != list(map(settings, saved)):
        return True
    return any(
        value != old.get(key)
        for group, old in groups
        for key, value in group.items()
        if key.startswith('initial_')
    )


def find_place(runner, checkpoint: dict) -> tuple[int, int, int]:
    """Epochs that are done, the batches of an epoch, and those done in the next one.

    An iteration-based loop has no epochs: all its batches are of the next one.
    """
    meta, loop = checkpoint['meta'], runner.train_loop
    if not isinstance(loop, EpochBasedTrainLoop):
        return 0, len(loop.dataloader), meta['iter']
    within = checkpoint['message_hub'].get('runtime_info', {}).get('within_epoch')
    return meta['epoch'], len(loop.dataloader), within[0] if within else 0


def saved_groups(checkpoint: dict) -> list[dict]:
    """The parameter groups of a checkpoint, in the order of its optimizer's wrapper."""
    optimizer = checkpoint['optimizer']
    base = optimizer.get('base_param_settings')
    return optimizer['param_groups'] + ([base] if base else [])


def by_metrics(scheduler) -> bool:
    """Whether a scheduler depends on the metrics of validation."""
    return getattr(scheduler, 'need_val_args', False)


def settings(state: dict) -> dict:
    """What a scheduler's state says about the config, not about how far it has run."""
    return {
        key: value
        for key, value in state.items()
        if key not in PROGRESS | {'optimizer'} and not callable(value)
    }


def is_scheduled(key: str, names: set[str]) -> bool:
    """Whether an entry of a parameter group is the work of schedulers.

    Args:
        key (str): The entry, such as ``initial_lr``.
        names (set[str]): What the schedulers set, such as ``lr``.
    """
    if key == 'betas':  # Adam's momentum
        return 'momentum' in names
    return any(key == name or key.endswith(f'_{name}') for name in names)


def require_same_optimizer(groups: list[tuple[dict, dict]], names: set[str]) -> None:
    """Check that a checkpoint is of the same kind of optimizer.

    Each kind has settings that the other lacks. Those of another version of PyTorch
    only lack some.

    Args:
        groups (list[tuple[dict, dict]]): The config's and the checkpoint's.
        names (set[str]): What schedulers set.

    Raises:
        ValueError: It is not.
    """
    for group, saved in groups:
        new, old = (
            sorted(key for key in a.keys() - b.keys() if not is_scheduled(key, names))
            for a, b in ((group, saved), (saved, group))
        )
        if new and old:
            raise ValueError(
                f'the checkpoint is of another optimizer, which has `{old[0]}` and no '
                f'`{new[0]}`: training cannot be resumed with `optim_wrapper.optimizer`'
            )


def warn_of_settings(groups: list[tuple[dict, dict]], names: set[str]) -> None:
    """Tell which settings of the optimizer, beside the scheduled, are not the config's.

    Args:
        groups (list[tuple[dict, dict]]): The config's and the checkpoint's.
        names (set[str]): What schedulers set.
    """
    kept = {
        key: f'`{key}` stays {saved[key]}, not {value}'
        for group, saved in groups
        for key, value in group.items()
        if key != 'params'
        and key in saved
        and not is_scheduled(key, names)
        and saved[key] != value
    }
    if kept:
        print_log(
            'Settings of the optimizer are those of the checkpoint: '
            + ', '.join(kept.values()),
            logger='current',
            level=logging.WARNING,
        )


def run_anew(schedulers: list, epochs: int, length: int, rest: int) -> None:
    """Step schedulers that are at their beginning as a training's loop does.

    Args:
        schedulers (list): MMEngine's, of one optimizer.
        epochs (int): Epochs that are done.
        length (int): Iterations of an epoch.
        rest (int): Iterations after the last of these epochs.

    Raises:
        ValueError: One depends on metrics.
    """
    for scheduler in schedulers:
        if by_metrics(scheduler):
            raise ValueError(
                f'{type(scheduler).__name__} depends on the metrics of the epochs that '
                'are done, so that training cannot be resumed with other schedules, '
                'or with another number of iterations where others count them: keep '
                'schedules, batch size and number of processes'
            )

    def step(times: int, by_epoch: bool):
        chosen = [each for each in schedulers if each.by_epoch == by_epoch]
        for _ in range(times if chosen else 0):
            for scheduler in chosen:
                scheduler.step()

    with warnings.catch_warnings():  # of steps without the optimizer's
        warnings.simplefilter('ignore')
        for _ in range(epochs):
            step(length, by_epoch=False)
            step(1, by_epoch=True)
        step(rest, by_epoch=False)


def take_over(groups: list[tuple[dict, dict]], names: set[str]) -> None:
    """Give the checkpoint what schedulers have set.

    Args:
        groups (list[tuple[dict, dict]]): The optimizer's, and the checkpoint's, which
            are changed.
        names (set[str]): What the schedulers set.
    """
    for name in sorted(names):
        new, old = (group.get(name) for group in groups[0])
        print_log(
            'The schedules of the config were run anew up to here, for settings have '
            f'changed: `{name}` is {new}, and was {old} in the checkpoint.',
            logger='current',
        )
    for group, saved in groups:
        saved.update({k: v for k, v in group.items() if is_scheduled(k, names)})
