"""torchvision's Keypoint R-CNN among MMDetection's detectors."""

import copy
from pathlib import Path

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.registry import init_default_scope
from mmengine.runner import load_state_dict
from mmengine.structures import InstanceData
from tiny_detector import read_config
from torch import nn
from torchvision.models.detection import keypointrcnn_resnet50_fpn
from torchvision.models.detection.roi_heads import (
    heatmaps_to_keypoints,
    keypoints_to_heatmap,
)

from ogn_mm.engine.launch import OGNRunner
from ogn_mm.models.detectors.torchvision_keypoint_rcnn import to_target
from ogn_mm.models.detectors.torchvision_names import to_torchvision

FOLDER = Path(__file__).parents[3] / 'configs/ogn_mask_rcnn'
SUFFIX = '_1xb2-1e_generated-crowds-240x320.py'
BASELINE = FOLDER / f'kpt-mask-rcnn_r18-half_fpn{SUFFIX}'
PEER = FOLDER / f'tv-kpt-rcnn_r18-half_fpn{SUFFIX}'


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmdet')


def build(path, seed: int = 0):
    torch.manual_seed(seed)
    model = MODELS.build(copy.deepcopy(read_config(path).model))
    model.init_weights()
    return model


def people(count: int = 2) -> InstanceData:
    """People of 40 x 90 pixels, one beside the other."""
    left = 10.0 + 60 * torch.arange(count)
    low = torch.stack([left, torch.full_like(left, 5)], dim=1)
    size = torch.tensor([40.0, 90.0])
    return InstanceData(
        bboxes=torch.cat([low, low + size], dim=1),
        labels=torch.zeros(count, dtype=torch.long),
        keypoints=low[:, None] + size * torch.rand(count, 17, 2),
        keypoints_visible=torch.ones(count, 17),
    )


def sample(instances: InstanceData) -> DetDataSample:
    meta = dict(img_shape=(96, 160), scale_factor=(0.5, 0.5), ori_shape=(192, 320))
    return DetDataSample(metainfo=meta, gt_instances=instances)


def test_same_seed_gives_the_same_tensors():
    """Every tensor of the one has one of the other; a second seed's are others."""
    baseline = build(BASELINE, seed=3)
    state, peer = baseline.state_dict(), build(PEER, seed=3).net.state_dict()
    translated = to_torchvision(state)
    assert translated.keys() == peer.keys()
    for name, tensor in translated.items():
        assert torch.equal(tensor, peer[name]), name
    lost = [name for name in state if not to_torchvision({name: state[name]})]
    assert all(name.endswith('num_batches_tracked') for name in lost)
    assert len(translated) == len(state) - len(lost)
    other = build(PEER, seed=4).net.state_dict()
    name = 'roi_heads.keypoint_predictor.kps_score_lowres.weight'
    assert not torch.equal(other[name], peer[name])


@torch.no_grad()
def test_checkpoint_of_mmdetection_gives_the_same_features_and_heads():
    """Backbone, pyramid, RPN and the two heads, each fed with the same tensors."""
    baseline, peer = build(BASELINE, seed=0).eval(), build(PEER, seed=1).eval()
    load_state_dict(peer, baseline.state_dict(), strict=True)
    images = torch.randn(1, 3, 96, 160)
    theirs, ours = peer.extract_feat(images), baseline.extract_feat(images)
    torch.testing.assert_close(theirs, ours, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(
        peer.net.rpn.head(ours), baseline.rpn_head(ours), rtol=1e-4, atol=1e-4
    )
    heads = peer.net.roi_heads
    feats = torch.randn(3, 64, 7, 7)
    scores, boxes = heads.box_predictor(heads.box_head(feats))
    our_scores, our_boxes = baseline.roi_head.bbox_head(feats)
    torch.testing.assert_close(scores, our_scores.flip(1), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(boxes[:, 4:], our_boxes, rtol=1e-4, atol=1e-4)
    feats = torch.randn(3, 64, 14, 14)
    torch.testing.assert_close(
        heads.keypoint_predictor(heads.keypoint_head(feats)),
        baseline.roi_head.keypoint_head(feats),
        rtol=1e-4,
        atol=1e-4,
    )


def test_its_own_checkpoint_loads():
    peer, other = build(PEER, seed=0), build(PEER, seed=1)
    load_state_dict(other, peer.state_dict(), strict=True)
    for name, tensor in peer.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor), name


@pytest.mark.parametrize('count', [0, 2])
def test_losses_reach_the_network(count):
    """Nobody in the image, or people and a box without area, which is left out."""
    peer = build(PEER)
    gt = people(count)
    if count:
        gt.bboxes[0, 2] = gt.bboxes[0, 0]
    losses = peer.loss(torch.randn(1, 3, 96, 160), [sample(gt)])
    assert all(torch.isfinite(loss) for loss in losses.values())
    sum(losses.values()).backward()
    assert peer.net.backbone.body.conv1.weight.grad.abs().sum() > 0
    assert (losses['loss_keypoint'] > 0) == bool(count)


@torch.no_grad()
def test_predictions_are_in_pixels_of_the_original_image():
    peer = build(PEER).eval()
    peer.net.roi_heads.score_thresh = 0.0
    images = torch.randn(1, 3, 96, 160)
    input_pixels, original = (
        peer.predict(images, [sample(people())], rescale=rescale)[0].pred_instances
        for rescale in (False, True)
    )
    assert len(original) > 0 and (original.labels == 0).all()
    assert original.keypoints.shape == (len(original), 17, 2)
    torch.testing.assert_close(original.bboxes, 2 * input_pixels.bboxes)
    # centres of pixels: (x + 0.5) * 2 - 0.5
    torch.testing.assert_close(original.keypoints, 2 * input_pixels.keypoints + 0.5)
    assert ((original.keypoint_scores > 0) & (original.keypoint_scores < 1)).all()


def test_decoding_finds_the_targets_pixel():
    """The coordinates that go in, and those that come out, mean the same place."""
    gt = people()
    target = to_target(gt)
    assert (target['labels'] == 1).all()
    index, valid = keypoints_to_heatmap(target['keypoints'], target['boxes'], 56)
    maps = 20.0 * nn.functional.one_hot(index, 56 * 56).float()
    found, _ = heatmaps_to_keypoints(maps.view(2, 17, 56, 56), target['boxes'])
    error = (found[..., :2] - 0.5 - gt.keypoints).abs()[valid.bool()]
    # half a pixel of the map, and half a pixel of torchvision's enlarged map
    assert error.max() <= 90 / 56 / 2 + 0.5


@pytest.mark.slow
def test_full_size_is_torchvisions_own_network():
    """Same tensors as ``keypointrcnn_resnet50_fpn``, the same of them learnt."""
    path = FOLDER / 'tv-kpt-rcnn_r50_fpn_8xb2-1x_coco.py'
    model = copy.deepcopy(read_config(path).model)
    initial = model.initialize_as
    initial.backbone.init_cfg = None
    with torch.device('meta'):
        ours = MODELS.build(dict(model, initialize_as=None)).net
        baseline = MODELS.build(initial)
        theirs = keypointrcnn_resnet50_fpn(weights=None, weights_backbone=None)
    shapes = {name: tensor.shape for name, tensor in ours.state_dict().items()}
    assert shapes == {
        name: tensor.shape
        for name, tensor in theirs.state_dict().items()
        if not name.endswith('num_batches_tracked')
    }
    translated = to_torchvision(baseline.state_dict())
    assert shapes == {name: tensor.shape for name, tensor in translated.items()}
    for name in ('conv1', 'layer1', 'layer2'):
        part = getattr(ours.backbone.body, name)
        learnt = [parameter.requires_grad for parameter in part.parameters()]
        assert set(learnt) == {name == 'layer2'}
    for name in ('rpn', 'roi_heads'):
        numbers = [
            {k: v for k, v in vars(getattr(net, name)).items() if is_plain(v)}
            for net in (ours, theirs)
        ]
        assert numbers[0] == numbers[1]


def is_plain(value) -> bool:
    """Whether a value is a number or made of numbers, to be compared by ``==``."""
    if isinstance(value, dict):
        return all(map(is_plain, value.values()))
    return isinstance(value, int | float | str | tuple)


@pytest.mark.slow
def test_trains_and_validates(generated_people, tmp_path):
    config = copy.deepcopy(read_config(PEER))
    config.work_dir, config.load_from = str(tmp_path), None
    for split in ('train', 'val', 'test'):
        loader = config[f'{split}_dataloader']
        loader.update(num_workers=0, persistent_workers=False)
        folder = 'train' if split == 'train' else 'val'
        loader.dataset.update(
            data_root=str(generated_people),
            ann_file=f'annotations/{folder}.json',
            data_prefix=dict(img=f'images/{folder}/'),
            indices=4,
        )
        for metric in config[f'{split}_evaluator'] if split != 'train' else []:
            metric.ann_file = f'{generated_people}/annotations/val.json'
    config.model.box_score_thresh = 0.0
    config.model.box_detections_per_img = 5
    runner = OGNRunner.from_cfg(config)
    runner.train()
    assert runner.iter == 2
    for name in ('bbox_mAP', 'AP'):
        assert 0 <= runner.message_hub.get_scalar(f'val/coco/{name}').current() <= 1
