"""Weights of another skeleton are refused, where they are tested."""

import types

import pytest
import torch
from mmengine.runner import BaseLoop
from mmpose.datasets import CocoDataset, CrowdPoseDataset, PoseTrack18Dataset
from torch import nn

from ogn_mm.engine.checkpoint import load_weights
from ogn_mm.engine.hooks import RequireWeightsHook
from ogn_mm.engine.skeletons import checkpoint_keypoints, require_skeleton

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
