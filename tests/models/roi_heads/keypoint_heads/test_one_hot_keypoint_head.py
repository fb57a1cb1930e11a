"""Mask R-CNN's keypoint head, with torchvision's as the independent reference."""

import math

import pytest
import torch
from mmdet.registry import MODELS
from torchvision.models.detection.keypoint_rcnn import (
    KeypointRCNNHeads,
    KeypointRCNNPredictor,
)
from torchvision.models.detection.roi_heads import keypointrcnn_loss

import ogn_mm  # noqa: F401

K = 5


def build(**kwargs):
    options = dict(
        type='mmdet.OneHotKeypointHead',
        num_keypoints=K,
        roi_feat_size=14,
        in_channels=8,
        num_convs=2,
        conv_out_channels=6,
    )
    return MODELS.build({**options, **kwargs})


def case(seed=0, rois=6):
    """ROIs, keypoints in and out of them, two in three visible."""
    generator = torch.Generator().manual_seed(seed)
    low = 100 * torch.rand(rois, 2, generator=generator)
    extent = 20 + 90 * torch.rand(rois, 2, generator=generator)
    inside = 1.2 * torch.rand(rois, K, 2, generator=generator) - 0.1
    return dict(
        rois=torch.cat([low, low + extent], dim=1),
        keypoints=low[:, None] + inside * extent[:, None],
        visible=torch.randint(0, 3, (rois, K), generator=generator).clamp(max=1.0),
    )


def test_maps_are_torchvision_s():
    head = build(num_convs=8)
    layers = KeypointRCNNHeads(8, [6] * 8)
    predictor = KeypointRCNNPredictor(6, K)
    ours = [*head.convs.parameters(), *head.deconv.parameters()]
    theirs = [*layers.parameters(), *predictor.parameters()]
    for own, other in zip(ours, theirs, strict=True):
        own.data.copy_(other.data)
    feats = torch.randn(3, 8, 14, 14)
    maps = head(feats)
    assert maps.shape == (3, K, 56, 56)
    torch.testing.assert_close(maps, predictor(layers(feats)))


def test_upsampling_is_counted_in_whole_numbers():
    for upsampling in (0, 1.5, '2'):
        with pytest.raises(ValueError, match='upsampling must be an integer of at'):
            build(upsampling=upsampling)


def test_initial_weights_are_distributed_as_torchvision_s():
    """He's normal distribution; PyTorch counts a deconvolution's inputs as outputs."""
    head = build(conv_out_channels=64)
    head.init_weights()
    last = head.convs[1].conv.weight
    assert last.std().item() == pytest.approx(math.sqrt(2 / (64 * 9)), rel=0.05)
    assert head.deconv.weight.std().item() == pytest.approx(
        math.sqrt(2 / (64 * 16)), rel=0.05
    )
    assert not head.deconv.bias.any()


def test_loss_is_torchvision_s():
    head, targets = build(), case()
    maps = torch.randn(6, K, 56, 56)
    keypoints = torch.cat(
        [targets['keypoints'] + 0.5, targets['visible'][..., None]], dim=-1
    )
    expected = keypointrcnn_loss(
        maps, [targets['rois']], [keypoints], [torch.arange(6)]
    )
    losses = head.loss(maps, **targets)
    assert list(losses) == ['loss_keypoint']
    torch.testing.assert_close(losses['loss_keypoint'], expected)
    halved = build(loss_weight=0.5).loss(maps, **targets)
    torch.testing.assert_close(halved['loss_keypoint'], expected / 2)


def check_gradients(head, targets, maps):
    """The losses' gradients agree with finite differences in five directions."""
    maps.requires_grad_()

    def total(maps):
        return sum(head.loss(maps, **targets).values())

    (gradient,) = torch.autograd.grad(total(maps), maps)
    generator = torch.Generator().manual_seed(0)
    for _ in range(5):
        # uphill everywhere, so that rounding does not drown the slope
        step = torch.rand(maps.shape, generator=generator) * gradient
        step = 0.02 * step / step.abs().max()
        with torch.no_grad():
            slope = total(maps + step) - total(maps - step)
        expected = 2 * (gradient * step).sum()
        torch.testing.assert_close(slope, expected, rtol=0.01, atol=0)


def check_mirrors(head, targets, maps, flipped):
    """Mirrored people and maps give the same losses and mirrored keypoints."""
    width = 640
    rois, keypoints = targets['rois'], targets['keypoints']
    mirrored = dict(
        rois=torch.stack(
            [width - rois[:, 2], rois[:, 1], width - rois[:, 0], rois[:, 3]], dim=1
        ),
        keypoints=keypoints * torch.tensor([-1, 1]) + torch.tensor([width - 1, 0]),
        visible=targets['visible'],
    )
    losses = head.loss(maps, **targets), head.loss(flipped, **mirrored)
    for name, loss in losses[0].items():
        torch.testing.assert_close(losses[1][name], loss, rtol=1e-3, atol=1e-5)
    found, scores = head.predict(maps, rois)
    found_flipped, scores_flipped = head.predict(flipped, mirrored['rois'])
    found = found * torch.tensor([-1, 1]) + torch.tensor([width - 1, 0])
    torch.testing.assert_close(found_flipped, found, rtol=0, atol=2e-3)
    torch.testing.assert_close(scores_flipped, scores, rtol=0, atol=1e-5)


def test_mirrored_people_give_the_same_loss_and_mirrored_keypoints():
    maps = torch.randn(6, K, 56, 56)
    check_mirrors(build(), case(), maps, maps.flip(-1))


def test_gradients_are_those_of_finite_differences():
    check_gradients(build(), case(), torch.randn(6, K, 56, 56))


def test_loss_by_hand():
    """Flat maps: every pixel has the same probability."""
    targets = case()
    losses = build(roi_feat_size=(3, 2)).loss(torch.zeros(6, K, 12, 8), **targets)
    assert losses['loss_keypoint'].item() == pytest.approx(math.log(96))


@pytest.mark.parametrize('why', ['no ROI', 'none visible', 'none inside', 'no area'])
def test_nothing_to_learn_gives_zero_and_no_gradient(why):
    head, targets = build(), case(rois=0 if why == 'no ROI' else 6)
    if why == 'none visible':
        targets['visible'].zero_()
    elif why == 'none inside':
        targets['keypoints'] += 1000
    elif why == 'no area':
        targets['rois'][:, 2:] = targets['rois'][:, :2]
        targets['keypoints'][:] = targets['rois'][:, None, :2] - 0.5
    maps = head(torch.randn(len(targets['rois']), 8, 14, 14))
    loss = head.loss(maps, **targets)['loss_keypoint']
    loss.backward()
    assert loss.item() == 0
    # gradients are there, as distributed training wants them, and zero
    assert all(not parameter.grad.any() for parameter in head.parameters())


def test_best_pixel_comes_back_as_its_place_in_the_image():
    """By hand: 8 x 12 maps (w x h), pixel (2, 9) of a ROI of 80 x 240 at (10, 20)."""
    head = build(roi_feat_size=(3, 2))
    maps = torch.zeros(1, K, 12, 8)
    maps[0, :, 9, 2] = 50.0
    keypoints, scores = head.predict(maps, torch.tensor([[10.0, 20, 90, 260]]))
    # its centre, half a position up and left of it, the first of four equal ones
    expected = torch.tensor([10 + (2.5 - 1 / 16) * 10, 20 + (9.5 - 1 / 16) * 20]) - 0.5
    torch.testing.assert_close(keypoints[0], expected.expand(K, 2))
    torch.testing.assert_close(scores, torch.ones(1, K))


def test_votes_by_hand():
    """Probabilities 1/2, 1/4 to the right, and 1/4 out of the votes' reach."""
    head = build(roi_feat_size=(3, 2), vote_radius=1.5)
    maps = torch.full((1, K, 12, 8), -50.0)
    maps[0, :, 9, 2] = math.log(2)
    maps[0, :, 9, 3] = maps[0, :, 9, 5] = 0.0
    keypoints, scores = head.predict(maps, torch.tensor([[10.0, 20, 90, 260]]))
    # (2 * 2 + 3) / 3 pixels of 10 from the left
    expected = torch.tensor([10 + (7 / 3 + 0.5) * 10, 20 + 9.5 * 20]) - 0.5
    torch.testing.assert_close(keypoints[0], expected.expand(K, 2))
    torch.testing.assert_close(scores, torch.full((1, K), 0.75))


def test_no_roi_gives_no_keypoints():
    head = build()
    keypoints, scores = head.predict(head(torch.zeros(0, 8, 14, 14)), torch.zeros(0, 4))
    assert keypoints.shape == (0, K, 2) and scores.shape == (0, K)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match='vote_radius must be 0 or more, got -1'):
        build(vote_radius=-1)
