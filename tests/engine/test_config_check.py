import ast
import pathlib
import re

import mmpose
import pytest
from mmengine.config import Config

from ogn_mm.engine.config_agreement import RUNNER_KEYS
from ogn_mm.engine.config_check import (
    check_config,
    check_overrides,
    check_training,
    describe_schedule,
)


@pytest.mark.parametrize(
    'misspelt, meant',
    [
        ('train_dataloder', 'train_dataloader'),
        ('optim_warpper', 'optim_wrapper'),
        ('param_sheduler', 'param_scheduler'),
        ('custom_hook', 'custom_hooks'),
        ('train_config', 'train_cfg'),
        ('load_form', 'load_from'),
        ('randomnes', 'randomness'),
        ('modell', 'model'),
    ],
)
def test_misspelt_top_level_keys(misspelt, meant):
    cfg = Config({'model': dict(), misspelt: dict()})
    with pytest.raises(ValueError, match=f'`{misspelt}`; did you mean `{meant}`'):
        check_config(cfg)


@pytest.mark.parametrize(
    'cfg, field',
    [
        (dict(env_cfg=dict(cudnn_benchmrak=True)), 'env_cfg.cudnn_benchmrak'),
        (dict(auto_scale_lr=dict(enabled=True)), 'auto_scale_lr.enabled'),
        (dict(default_hooks=dict(chekpoint=None)), 'default_hooks.chekpoint'),
        (dict(model=dict(test_cfg=dict(flip_tset=1))), 'model.test_cfg.flip_tset'),
        (
            dict(model=dict(test_cfg=dict(rcnn=dict(box_filtre=None)))),
            'model.test_cfg.rcnn.box_filtre',
        ),
    ],
)
def test_misspelt_keys_in_dicts_without_a_class(cfg, field):
    with pytest.raises(ValueError, match=f'unknown key `{field}`; did you mean'):
        check_config(Config({'model': dict(), **cfg}))


def test_missing_model():
    with pytest.raises(ValueError, match='no `model`'):
        check_config(Config(dict(work_dir='x')))


def test_names_of_real_configs_are_no_mistakes():
    configs = pathlib.Path(mmpose.__path__[0], '.mim/configs').rglob('*.py')
    names = {
        target.id
        for config in configs
        for node in ast.parse(config.read_text()).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert len(names - RUNNER_KEYS) > 100
    check_config(Config({name: None for name in names if name[0] != '_'}))


@pytest.fixture
def cfg():
    return Config(
        dict(
            model=dict(backbone=dict(depth=18)),
            train_dataloader=dict(batch_size=8, dataset=dict(pipeline=[dict(p=1)])),
        )
    )


@pytest.mark.parametrize(
    'option, meant',
    [
        ('train_dataloder.batch_size', 'train_dataloader'),
        ('train_dataloader.batch_sise', 'batch_size'),
        ('model.backbnoe.depth', 'backbone'),
        ('train_dataloader.dataset.pipline.0.p', 'pipeline'),
    ],
)
def test_misspelt_overrides(cfg, option, meant):
    with pytest.raises(ValueError, match=rf'{option}: .* did you mean `{meant}`'):
        check_overrides(cfg, {option: 1})


@pytest.mark.parametrize(
    'option',
    [
        'model.backbone.depth',
        'model.backbone.with_cp',  # new, and like nothing that is there
        'train_dataloader.dataset.pipeline.0.p',
        'resume',
        'randomness.seed',
        'val_dataloader.batch_size',  # of MMEngine, if not of the config
    ],
)
def test_sound_overrides(cfg, option):
    check_overrides(cfg, {option: 1})


OLD = {
    'optimizer': dict(type='SGD', lr=0.1),
    'lr_config': dict(policy='step', step=[8, 11]),
    'total_epochs': 12,
    'data': dict(samples_per_gpu=32),
    'fp16': dict(loss_scale='dynamic'),
    'resume_from': 'a.pth',
    'seed': 42,
}


@pytest.mark.parametrize('key', OLD)
def test_keys_of_older_releases_do_not_train_something_else(key):
    with pytest.raises(ValueError, match=f'nothing reads `{key}`.* instead'):
        check_training(Config({key: OLD[key]}))
    check_training(Config({key: None}))


def test_old_precision_may_be_what_is_trained_in_anyway():
    fp16 = dict(loss_scale='dynamic')
    check_training(Config(dict(fp16=fp16, optim_wrapper=dict(type='AmpOptimWrapper'))))
    check_overrides(Config(dict(fp16=fp16)), {'fp16': None})


@pytest.mark.parametrize('key', ['model', 'train_dataloader', 'default_hooks'])
def test_what_has_to_be_a_dict(key):
    with pytest.raises(ValueError, match=f'`{key}` should be a dict, found'):
        check_config(Config({'model': {}, key: ['x']}))


def test_a_variable_of_an_old_keys_name_may_be_used():
    check_training(Config(dict(seed=3, randomness=dict(seed=3))))
    optimizer = dict(type='SGD', lr=0.1)
    check_training(
        Config(dict(optimizer=optimizer, optim_wrapper=dict(optimizer=optimizer)))
    )


@pytest.mark.parametrize(
    'schedule, epochs, told',
    [
        ([dict(end=500, by_epoch=False), dict(end=22)], 22, None),
        ([dict(end=500, by_epoch=False), dict(end=22)], 100, '22, .* 100'),
        (dict(begin=0, end=22, by_epoch=True), 8, '22, .* 8'),
        ([dict(begin=0, end=5), dict(begin=5, end=22)], 22, None),
        ([dict(milestones=[3])], 22, None),
        ([], 22, None),
    ],
)
def test_a_schedule_of_another_length_than_the_training_is_told(schedule, epochs, told):
    cfg = Config(dict(param_scheduler=schedule, train_cfg=dict(max_epochs=epochs)))
    sentence = describe_schedule(cfg)
    assert sentence is None if told is None else re.search(told, sentence)
