import ast
import pathlib

import mmpose
import pytest
from mmengine.config import Config

from ogn_mm.engine.config_check import RUNNER_KEYS, check_config, check_overrides


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
