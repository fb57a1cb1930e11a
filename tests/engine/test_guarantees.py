"""Trainings and tests have what they are promised, whatever their config says."""

import types
from pathlib import Path

import mmdet
import mmpose
import pytest
import tiny_pose
from mmengine.config import Config
from mmengine.hooks import CheckpointHook
from mmengine.registry import RUNNERS

from ogn_mm.engine import hooks
from ogn_mm.engine.config_check import check_config
from ogn_mm.engine.guarantees import GUARANTEES, add_guarantees
from ogn_mm.engine.launch import OGNRunner, build_runner

CLASSES = {kind.partition('.')[2] for kind in GUARANTEES.values()}
OWN = CLASSES | {'ResumableCheckpointHook'}


def upstream_runtime(package):
    return Path(package.__file__).parent / '.mim/configs/_base_/default_runtime.py'


@pytest.fixture
def config(tmp_path):
    """A config on MMPose's own runtime: no hook of ours, no seeded augmentation."""
    path = tiny_pose.write_config(tmp_path)
    text = path.read_text()
    text = text.replace(
        f'{tiny_pose.ROOT}/configs/_base_/default_runtime.py',
        str(upstream_runtime(mmpose)),
    )
    text = text.replace("    dict(type='SeedAugmentation'),\n", '')
    path.write_text(text[: text.index('custom_hooks')])
    cfg = Config.fromfile(path)
    cfg.default_hooks.checkpoint.interval = 1
    cfg.merge_from_dict(dict(work_dir=str(tmp_path / 'work'), launcher='none'))
    return cfg


def classes(runner):
    return [type(hook).__name__ for hook in runner.hooks]


def test_a_config_on_mmposes_runtime_has_all(config):
    runner = build_runner(config)
    assert set(classes(runner)) >= OWN
    assert len(classes(runner)) == len(set(classes(runner)))
    saver = next(h for h in runner.hooks if isinstance(h, CheckpointHook))
    assert saver.key_indicators == ['EPE'] and saver.interval == 1
    first = runner.train_dataloader.dataset.pipeline.transforms[0]
    assert type(first).__name__ == 'SeedAugmentation'


def test_a_config_on_mmdetections_runtime_has_all():
    cfg = Config.fromfile(upstream_runtime(mmdet))
    cfg = add_guarantees(cfg)
    named = {hook.type.rpartition('.')[2] for hook in cfg.default_hooks.values()}
    assert named >= OWN


def test_recipes_have_each_once():
    for name in ('default_runtime', 'mmdet_runtime'):
        cfg = Config.fromfile(tiny_pose.ROOT / f'configs/_base_/{name}.py')
        cfg = add_guarantees(cfg)
        listed = [*cfg.default_hooks.values(), *cfg.custom_hooks]
        named = [hook.type.rpartition('.')[2] for hook in listed]
        assert set(named) >= OWN and len(named) == len(set(named))


def test_the_config_is_kept_and_twice_is_once(config):
    before = config.to_dict()
    once = add_guarantees(config)
    assert config.to_dict() == before
    assert add_guarantees(once).to_dict() == once.to_dict()


def test_names_tune_and_switch_off(config):
    config.merge_from_dict(
        {
            'default_hooks.check_loss.max_skips': 10,
            'default_hooks.preemption': None,
            'default_hooks.epoch_seed': None,
            'default_hooks.checkpoint.type': 'mmengine.CheckpointHook',
        }
    )
    check_config(config)
    runner = build_runner(config)
    kinds = classes(runner)
    assert not {'PreemptionHook', 'EpochSeedHook', 'ResumableCheckpointHook'} & {*kinds}
    assert 'CheckpointHook' in kinds
    (watch,) = (h for h in runner.hooks if isinstance(h, hooks.CheckLossHook))
    assert watch.max_skips == 10
    first = runner.train_dataloader.dataset.pipeline.transforms[0]
    assert type(first).__name__ == 'LoadImage'
    # a run that is resumed with the work directory's config is the same
    again = add_guarantees(runner.cfg).default_hooks
    assert again['preemption'] is None and again['epoch_seed'] is None


def test_a_hook_of_the_configs_own_stays_as_it_is(config):
    config.custom_hooks = [dict(type='CheckLossHook', max_skips=3)]
    runner = build_runner(config)
    (watch,) = (h for h in runner.hooks if isinstance(h, hooks.CheckLossHook))
    assert watch.max_skips == 3
    config.default_hooks.check_loss = dict(max_skips=1)
    with pytest.raises(ValueError, match='`default_hooks.check_loss` and `custom_hook'):
        build_runner(config)


def test_a_hook_that_is_no_dict_is_refused(config):
    config.default_hooks.preemption = False
    with pytest.raises(ValueError, match='`default_hooks.preemption` should be a dict'):
        build_runner(config)


def test_another_runner_has_them_as_well(config):
    @RUNNERS.register_module(name='SomebodysRunner')
    class SomebodysRunner:
        @classmethod
        def from_cfg(cls, cfg):
            return types.SimpleNamespace(cfg=cfg)

    try:
        config.runner_type = 'SomebodysRunner'
        config.default_hooks.preemption = None
        built = build_runner(config)
    finally:
        RUNNERS.module_dict.pop('SomebodysRunner')
    hooks_of_ours = set(built.cfg.default_hooks) & set(GUARANTEES)
    # MMPose's custom hooks average the buffers already
    assert hooks_of_ours == set(GUARANTEES) - {'preemption', 'sync_buffers'}


def test_mmdetections_tool_finds_our_runner(config):
    config.runner_type = 'OGNRunner'
    runner = RUNNERS.build(config)
    assert isinstance(runner, OGNRunner) and set(classes(runner)) >= OWN


@pytest.mark.parametrize(
    'dataset, seeded',
    [
        (dict(pipeline=[dict(type='A')]), ['pipeline']),
        (dict(pipeline=[]), []),
        (dict(pipeline=[dict(type='mmpose.SeedAugmentation')]), ['pipeline']),
        (
            dict(
                datasets=[dict(pipeline=[]), dict(pipeline=[dict(type='A')])],
                pipeline=[dict(type='A')],
            ),
            ['datasets.1.pipeline', 'pipeline'],
        ),
        (
            dict(dataset=dict(pipeline=[dict(type='A')]), pipeline=[dict(type='Mix')]),
            ['dataset.pipeline'],
        ),
    ],
)
def test_pipelines_that_are_seeded(dataset, seeded):
    cfg = Config(dict(train_dataloader=dict(dataset=dataset)))
    dataset = add_guarantees(cfg).train_dataloader.dataset
    found = []
    for place in ('pipeline', 'dataset.pipeline', 'datasets.1.pipeline'):
        node = dataset
        for key in place.split('.'):
            node = node[int(key)] if key.isdigit() else node.get(key, {})
            if not node:
                break
        kinds = [step['type'].rpartition('.')[2] for step in node]
        assert kinds.count('SeedAugmentation') <= 1
        found += [place] if kinds[:1] == ['SeedAugmentation'] else []
    assert sorted(found) == sorted(seeded)
