"""Pose tracking: names and rows of Table 5; every config builds."""

import re
from pathlib import Path

import pytest
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from tiny_detector import read_config

ROOT = Path(__file__).parents[1]
CONFIGS = sorted((ROOT / 'configs/ogn_tracking').glob('*.py'))
NAME = re.compile(
    r'(?P<poses>ogn-mask-rcnn_r101_fpn-rc|two-stages-ogn_res152-512x384-gbg)'
    r'_iou-reid(?P<flow>-flow)?_posetrack(?P<year>17|18)(?P<test>_test)?'
)


@pytest.fixture(params=CONFIGS, ids=lambda path: path.stem)
def path(request):
    return request.param


def test_there_are_three_rows_for_each_data_set_and_split():
    assert len(CONFIGS) == 12


def test_name_says_what_the_config_is(path):
    name = NAME.fullmatch(path.stem)
    assert name, 'the name does not follow the scheme'
    config = read_config(path)
    model = config.model
    assert model.type == 'VideoPoseEstimator'
    assert config.custom_imports.imports == ['ogn_mm']
    assert bool(model.get('pose_estimator')) == name['poses'].startswith('two')
    for part in ('detector', 'pose_estimator'):
        if part in model:
            assert (ROOT / model[part].config).is_file()
    cues = {cue.type for cue in model.tracker.cues}
    expected = {'BoxIoU', 'ReIDDistance'} | ({'FlowOKS'} if name['flow'] else set())
    assert cues == expected
    for part in ('flow', 'propagation'):
        assert (part in model) == bool(name['flow'])
    data = config.test_dataloader
    assert data.sampler.type == 'VideoSampler'
    assert data.dataset.data_root == f'data/posetrack{name["year"]}/'
    folder = data.dataset.data_root + data.dataset.ann_dir
    assert config.test_evaluator.gt_dir == folder
    assert folder.endswith('test' if name['test'] else 'val')
    assert bool(config.test_evaluator.get('format_only')) == bool(name['test'])
    assert config.val_cfg is None and 'val_dataloader' not in config


def test_data_sets_and_splits_share_the_model(path):
    base = path.with_name(re.sub(r'posetrack.*', 'posetrack17.py', path.name))
    assert read_config(path).model == read_config(base).model


@pytest.mark.slow
@pytest.mark.parametrize(
    'path',
    [path for path in CONFIGS if path.stem.endswith('posetrack17')],
    ids=lambda path: path.stem,
)
def test_full_size_model_builds(path):
    """With all parts; no weights are fetched."""
    init_default_scope('mmpose')
    config = read_config(path).model.to_dict()
    config['appearance'].pop('checkpoint')
    config['detector'].pop('checkpoint', None)
    model = MODELS.build(config)
    assert model.tracker.fields <= {'bboxes', 'features', 'poses'}
    assert model.dataset_meta['dataset_name'] == 'posetrack18'
    assert model.network_meta['num_keypoints'] == 17
