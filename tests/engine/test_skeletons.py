"""Weights of another skeleton are refused, where they are tested."""

import types

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import BaseLoop
from mmpose.datasets import CocoDataset, CrowdPoseDataset, PoseTrack18Dataset
from torch import nn

from ogn_mm.engine.checkpoint import load_weights
from ogn_mm.engine.hooks import RequireWeightsHook
from ogn_mm.engine.skeletons import (
    checkpoint_keypoints,
    choose_skeleton,
    config_skeleton,
    require_skeleton,
)

COCO, POSETRACK, CROWDPOSE = (
    dataset._load_metainfo()
    for dataset in (CocoDataset, PoseTrack18Dataset, CrowdPoseDataset)
)


def trained_on(metainfo) -> dict:
    model = nn.Linear(2, 17)
    return dict(meta=dict(dataset_meta=metainfo), state_dict=model.state_dict())


@pytest.mark.parametrize(
    'found, wanted, problem',
    [
        (COCO, COCO, None),
        (COCO, None, None),
        ({}, COCO, None),
        (dict(classes=('person',)), COCO, None),
        (POSETRACK, COCO, 'of `coco`: number 1 is `head_bottom`, not `left_eye`'),
        (
            COCO,
            POSETRACK,
            'of `posetrack18`: number 1 is `left_eye`, not `head_bottom`',
        ),
        (CROWDPOSE, COCO, 'number 0 is `left_shoulder`, not `nose`'),
    ],
)
def test_skeletons_are_compared_by_name(found, wanted, problem):
    if problem is None:
        require_skeleton(trained_on(found), wanted, 'a.pth')
        return
    with pytest.raises(ValueError, match='the checkpoint a.pth .*other') as error:
        require_skeleton(trained_on(found), wanted, 'a.pth')
    assert str(error.value).endswith(problem)


def test_the_beginning_of_a_skeleton_is_another_one():
    names = dict(list(COCO['keypoint_id2name'].items())[:5])
    with pytest.raises(ValueError, match='`coco`: 5, not 17'):
        require_skeleton(trained_on(dict(keypoint_id2name=names)), COCO, 'a.pth')


@pytest.mark.parametrize('names', [None, 3, {1: 'nose'}, {'nose': 0}, ['nose']])
def test_strange_names_are_none(names):
    assert checkpoint_keypoints(trained_on(dict(keypoint_id2name=names))) == []
    assert checkpoint_keypoints(dict(meta=3)) == []


def test_models_that_name_their_keypoints(tmp_path):
    path = str(tmp_path / 'a.pth')
    torch.save(trained_on(POSETRACK), path)
    model = nn.Linear(2, 17)
    load_weights(model, path)
    model.dataset_meta = POSETRACK
    load_weights(model, path)
    model.dataset_meta = COCO
    with pytest.raises(ValueError, match='a.pth was trained on other keypoints'):
        load_weights(model, path)


class Loop(BaseLoop):
    """A loop that was built."""

    def __init__(self):
        pass

    def run(self):
        """Nothing is done."""


def test_tests_by_the_runner():
    """The data set names the keypoints, unless the model does; training maps them."""
    dataset = types.SimpleNamespace(metainfo=COCO)
    runner = types.SimpleNamespace(
        model=nn.Linear(2, 17),
        _load_from='a.pth',
        _resume=False,
        _train_loop=None,
        _test_loop=Loop(),
        test_dataloader=types.SimpleNamespace(dataset=dataset),
    )
    hook = RequireWeightsHook()
    hook.after_load_checkpoint(runner, trained_on(COCO))
    with pytest.raises(ValueError, match='other keypoints than those of `coco`'):
        hook.after_load_checkpoint(runner, trained_on(POSETRACK))
    runner.model.dataset_meta = POSETRACK
    hook.after_load_checkpoint(runner, trained_on(POSETRACK))
    runner._train_loop = Loop()
    hook.after_load_checkpoint(runner, trained_on(COCO))


ROI = dict(type='ImageROIDataset', dataset=dict(type='PoseTrack18Dataset'))


def config(part='test', scope='mmpose', **dataset) -> Config:
    loader = {f'{part}_dataloader': dict(dataset=dataset)}
    return Config(dict(default_scope=scope, **loader))


@pytest.mark.parametrize(
    'cfg, name, count',
    [
        (config(type='CocoDataset'), 'coco', 17),
        (config('train', **ROI), 'posetrack18', 17),
        (config('train', type='CombinedDataset', datasets=[ROI]), 'posetrack18', 17),
        (
            config('val', **ROI, metainfo=CrowdPoseDataset.METAINFO),
            'crowdpose',
            14,
        ),
        (config(scope='mmdet', type='CocoKeypointDetectionDataset'), 'coco', 17),
        (
            config(
                scope='mmdet',
                type='CocoKeypointDetectionDataset',
                metainfo=PoseTrack18Dataset.METAINFO,
            ),
            'posetrack18',
            17,
        ),
        (config(scope='mmdet', type='CocoDataset'), None, 0),
        (Config(dict(test_dataloader=None)), None, 0),
    ],
)
def test_skeleton_of_a_config(cfg, name, count):
    found = config_skeleton(cfg) or dict(dataset_name=None, num_keypoints=0)
    assert (found['dataset_name'], found['num_keypoints']) == (name, count)


class Model(nn.Module):
    def __init__(self, count=17):
        super().__init__()
        self.head = types.SimpleNamespace(num_keypoints=count)


@pytest.fixture
def said(monkeypatch):
    """What is logged."""
    texts = []
    monkeypatch.setattr(
        'ogn_mm.engine.skeletons.print_log', lambda text, **_: texts.append(text)
    )
    return texts


COCO_CONFIG = config(type='CocoDataset')
WITHOUT_LINKS = {key: value for key, value in COCO.items() if key != 'skeleton_links'}


@pytest.mark.parametrize(
    'content',
    [
        dict(state_dict={}),
        {'head.weight': torch.ones(1)},
        dict(meta=None),
        dict(meta=dict(dataset_meta=None)),
        trained_on({}),
        trained_on(dict(CLASSES=('person',))),
        trained_on(dict(classes=('person',))),
        trained_on(WITHOUT_LINKS),
        trained_on(COCO | dict(flip_indices=[0, 1])),
        trained_on(COCO | dict(sigmas=3)),
    ],
)
def test_a_checkpoint_that_does_not_tell_its_skeleton(content, said):
    """The config's is taken, and that is said."""
    found = choose_skeleton(content, COCO_CONFIG, Model(), 'a.pth')
    assert found['keypoint_id2name'] == COCO['keypoint_id2name']
    assert found['flip_indices'] == COCO['flip_indices']
    assert said == [
        'the checkpoint a.pth does not tell which keypoints are found: they are taken '
        "for those of the config's data set `coco`"
    ]


def test_a_checkpoint_that_tells_its_skeleton(said):
    """It knows better than a config of as many keypoints."""
    found = choose_skeleton(trained_on(POSETRACK), COCO_CONFIG, Model(), 'a.pth')
    assert found == POSETRACK
    assert not said


@pytest.mark.parametrize(
    'content, cfg, model, problem',
    [
        ({'a': 1}, Config(), Model(), 'the checkpoint a.pth does not tell .* has any'),
        (None, Config(), Model(), 'the config does not tell which keypoints'),
        (
            trained_on(dict(keypoint_id2name=POSETRACK['keypoint_id2name'])),
            COCO_CONFIG,
            Model(),
            'the checkpoint a.pth was trained on other keypoints',
        ),
        (
            trained_on(CROWDPOSE),
            COCO_CONFIG,
            Model(),
            '`model.head` predicts 17 keypoints, but the checkpoint a.pth is for the '
            '14 of `crowdpose`',
        ),
        (None, COCO_CONFIG, Model(5), 'predicts 5 keypoints, but the config is for'),
    ],
)
def test_no_skeleton_is_guessed(content, cfg, model, problem):
    with pytest.raises(ValueError, match=problem):
        choose_skeleton(content, cfg, model, 'a.pth')
