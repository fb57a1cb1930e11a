"""Weights of one skeleton become the start for another."""

import types

import pytest
import torch
from mmengine.runner import BaseLoop
from mmpose.datasets import CocoDataset, CrowdPoseDataset, PoseTrack18Dataset
from mmpose.registry import MODELS
from torch import nn

from ogn_mm.engine.hooks import MapKeypointsHook
from ogn_mm.engine.hooks.map_keypoints_hook import map_channels, match_keypoints
from ogn_mm.engine.skeletons import keypoint_names

COCO, POSETRACK, CROWDPOSE = (
    dataset._load_metainfo()
    for dataset in (CocoDataset, PoseTrack18Dataset, CrowdPoseDataset)
)


def test_posetrack_takes_coco_s_keypoints_and_the_nose():
    names, sources = keypoint_names(POSETRACK), keypoint_names(COCO)
    matches = match_keypoints(names, sources)
    assert matches == [0, 0, 0, *range(3, 17)]
    assert match_keypoints(sources, sources) == list(range(17))
    # and the other way: eyes begin as noses
    assert match_keypoints(sources, names) == [0, 0, 0, *range(3, 17)]
    assert match_keypoints(['tail', 'nose'], sources) == [None, 0]


def test_channels_by_hand():
    """Two channels a keypoint: a, b become b, new, b."""
    weight = torch.tensor([[1.0, 2, 3, 4]])
    initial = torch.full((1, 6), 9.0)
    mapped = map_channels(weight, initial, [1, None, 1], 2, dim=1)
    assert mapped.tolist() == [[3, 4, 9, 9, 3, 4]]
    assert map_channels(weight[0], initial[0], [0, 1, 0], 2).tolist() == (
        [1, 2, 3, 4, 1, 2]
    )


class Loop(BaseLoop):
    """Stands for a loop that is built."""

    def __init__(self):
        pass

    def run(self):
        pass


def call(model, checkpoint, metainfo):
    dataset = types.SimpleNamespace(metainfo=metainfo)
    loader = types.SimpleNamespace(dataset=dataset)
    runner = types.SimpleNamespace(
        model=model, _train_loop=Loop(), train_dataloader=loader
    )
    MapKeypointsHook().after_load_checkpoint(runner, checkpoint)


def two_stage(keypoints):
    return dict(
        head=MODELS.build(
            dict(
                type='OffsetHead',
                in_channels=8,
                out_channels=keypoints,
                deconv_out_channels=None,
            )
        )
    )


def one_stage(keypoints):
    head = dict(type='mmdet.OffsetKeypointHead', num_keypoints=keypoints)
    head.update(roi_feat_size=2, in_channels=8, num_convs=1, conv_out_channels=8)
    return dict(roi_head=nn.ModuleDict(dict(keypoint_head=MODELS.build(head))))


@pytest.mark.parametrize('build', [two_stage, one_stage])
@pytest.mark.parametrize('target', [POSETRACK, CROWDPOSE])
def test_maps_are_those_of_the_source_s_keypoints(build, target):
    """After loading, each channel predicts what its source did."""
    source = nn.ModuleDict(build(17))
    model = nn.ModuleDict(build(target['num_keypoints']))
    checkpoint = dict(meta=dict(dataset_meta=COCO), state_dict=source.state_dict())
    call(model, checkpoint, target)
    model.load_state_dict(checkpoint['state_dict'])
    feats = torch.randn(2, 8, 2, 2)
    maps = []
    for net in (source, model):
        head = net['head'] if 'head' in net else net['roi_head']['keypoint_head']
        maps.append(head((feats,) if 'head' in net else feats))
    matches = torch.tensor(
        match_keypoints(keypoint_names(target), keypoint_names(COCO))
    )
    heatmaps, count = maps[1][:, : len(matches)], len(matches)
    torch.testing.assert_close(heatmaps, maps[0][:, matches])
    for axis in range(2):
        torch.testing.assert_close(
            maps[1][:, count + axis :: 2], maps[0][:, 17 + axis :: 2][:, matches]
        )


def test_other_checkpoints_stay_as_they_are():
    model = nn.ModuleDict(two_stage(17))
    narrow = {'head.final_layer.weight': torch.ones(17, 4, 1, 1)}
    for meta, target, state_dict in (
        (dict(dataset_meta=COCO), COCO, model.state_dict()),
        (dict(dataset_meta=dict(classes=('person',))), POSETRACK, model.state_dict()),
        ({}, POSETRACK, model.state_dict()),
        (dict(dataset_meta=COCO), {}, model.state_dict()),
        (dict(dataset_meta=COCO), POSETRACK, narrow),
    ):
        checkpoint = dict(meta=meta, state_dict=dict(state_dict))
        call(model, checkpoint, target)
        assert all(
            value is state_dict[key] for key, value in checkpoint['state_dict'].items()
        )


def test_testing_takes_weights_as_they_are():
    model = nn.ModuleDict(two_stage(17))
    weights = model.state_dict()
    checkpoint = dict(meta=dict(dataset_meta=COCO), state_dict=dict(weights))
    runner = types.SimpleNamespace(model=model, _train_loop=dict(type='Epochs'))
    MapKeypointsHook().after_load_checkpoint(runner, checkpoint)
    assert all(value is weights[key] for key, value in checkpoint['state_dict'].items())
