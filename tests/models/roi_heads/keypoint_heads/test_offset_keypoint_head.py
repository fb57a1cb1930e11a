"""The offset-guided head: exact round trips, disks, gradients, mirrors."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from mmdet.registry import MODELS
from mmengine.registry import init_default_scope
from test_one_hot_keypoint_head import check_gradients, check_mirrors

import ogn_mm  # noqa: F401
from ogn_mm.codecs.utils import batch_disk_targets, one_hot_targets
from ogn_mm.structures.bbox import extend_to_ratio, image_to_roi_map

K = 4
SCORE_LOSSES = ['smooth_l1', 'softmax']


def build(**kwargs):
    options = dict(
        type='mmdet.OffsetKeypointHead',
        num_keypoints=K,
        roi_feat_size=(11, 8),
        in_channels=8,
        num_convs=1,
        conv_out_channels=6,
    )
    return MODELS.build({**options, **kwargs})


def case(seed=0, rois=5, spread=1.0, size=1.0):
    """ROIs and keypoints, ``spread`` times the ROI around its centre, all visible."""
    generator = torch.Generator().manual_seed(seed)
    low = 300 * torch.rand(rois, 2, generator=generator) - 50
    extent = size * (4 + 300 * torch.rand(rois, 2, generator=generator))
    place = spread * (torch.rand(rois, K, 2, generator=generator) - 0.5) + 0.5
    return dict(
        rois=torch.cat([low, low + extent], dim=1),
        keypoints=low[:, None] + place * extent[:, None] - 0.5,
        visible=torch.ones(rois, K),
    )


def perfect_maps(head, rois, keypoints, visible):
    """The maps of a perfect network."""
    points = image_to_roi_map(keypoints, rois, head.map_size)
    heatmaps, offsets = batch_disk_targets(
        points, visible > 0, head.map_size, head.codec.radius
    )
    if head.score_loss == 'softmax':
        index, _ = one_hot_targets(points, head.map_size)
        heatmaps = torch.zeros_like(heatmaps).flatten(2)
        heatmaps = heatmaps.scatter(2, index[..., None], 50.0).view(
            *index.shape, *head.map_size[::-1]
        )
    return torch.cat([heatmaps, offsets], dim=1)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    score_loss=st.sampled_from(SCORE_LOSSES),
    feat_size=st.sampled_from([(14, 14), (22, 16), (5, 9)]),
    radius=st.none() | st.floats(0.7072, 4),
    extended=st.booleans(),
    upsampling=st.sampled_from([1, 2]),
    vote_radius=st.sampled_from([0, 1.5]),
)
def test_round_trip_is_exact(
    seed, score_loss, feat_size, radius, extended, upsampling, vote_radius
):
    """Keypoints anywhere in a ROI of any place, size and ratio: 1e-3 pixels."""
    init_default_scope('mmdet')
    head = build(
        roi_feat_size=feat_size,
        radius=radius,
        score_loss=score_loss,
        upsampling=upsampling,
        vote_radius=vote_radius,
    )
    targets = case(seed)
    if extended:
        ratio = feat_size[1] / feat_size[0]
        targets['rois'] = extend_to_ratio(targets['rois'], ratio)
    keypoints, scores = head.predict(perfect_maps(head, **targets), targets['rois'])
    torch.testing.assert_close(keypoints, targets['keypoints'], atol=1e-3, rtol=0)
    torch.testing.assert_close(scores, torch.ones_like(scores))


def test_default_radius_is_the_codec_s():
    # the square root of a 16th of the longer side
    assert build(roi_feat_size=(22, 16)).codec.radius == pytest.approx(5.5**0.5)


@pytest.mark.parametrize('upsampling, size', [(1, (22, 16)), (2, (44, 32))])
def test_maps_of_scores_and_offsets_begin_near_zero(upsampling, size):
    head = build(upsampling=upsampling)
    head.init_weights()
    maps = head(torch.randn(2, 8, 11, 8))
    assert maps.shape == (2, 3 * K, *size) and head.map_size == size[::-1]
    assert maps.abs().max() < 0.1


def test_perfect_maps_have_no_loss():
    for score_loss in SCORE_LOSSES:
        head, targets = build(score_loss=score_loss), case()
        losses = head.loss(perfect_maps(head, **targets), **targets)
        assert list(losses) == ['loss_keypoint', 'loss_keypoint_offset']
        assert all(
            loss.item() == pytest.approx(0, abs=1e-5) for loss in losses.values()
        )


def test_loss_by_hand():
    """Maps of zeros, one keypoint at a pixel's centre and R = 1: a disk of 5 pixels."""
    head = build(num_keypoints=1, roi_feat_size=(3, 2), radius=1.0)
    targets = dict(
        rois=torch.tensor([[0.0, 0, 8, 12]]),
        keypoints=torch.tensor([[[4.0, 5.0]]]),
        visible=torch.ones(1, 1),
    )
    losses = head.loss(torch.zeros(1, 3, 12, 8), **targets)
    assert losses['loss_keypoint'].item() == pytest.approx(0.5)
    # the other 91 pixels count a tenth
    scores = head.loss(torch.ones(1, 3, 12, 8), **targets)['loss_keypoint']
    assert scores.item() == pytest.approx(0.1 * 91 * 0.5 / 5)
    # four neighbours with an offset of length 1
    assert losses['loss_keypoint_offset'].item() == pytest.approx(4 * 0.5 / 5)


def loss_over_whole_maps(head, maps, rois, keypoints, visible):
    """The same sums without windows: each pixel is compared with each keypoint."""
    width, height = head.map_size
    points = image_to_roi_map(keypoints, rois, head.map_size)
    columns, rows = torch.meshgrid(
        torch.arange(width), torch.arange(height), indexing='xy'
    )
    offsets = points[..., None, None] - torch.stack([columns, rows])
    disks = (offsets.square().sum(dim=2) <= head.codec.radius**2) & (
        visible[..., None, None] > 0
    )
    count = disks.sum().clamp(min=1)
    weights = disks.any(dim=-1).any(dim=-1)[..., None, None]
    weights = weights * disks.float().clamp(min=0.1)  # the background counts a tenth
    score = F.smooth_l1_loss(maps[:, :K], disks.float(), reduction='none') * weights
    offset = F.smooth_l1_loss(
        maps[:, K:].unflatten(1, (K, 2)), offsets / head.codec.radius, reduction='none'
    )
    return score.sum() / count, (offset * disks[:, :, None]).sum() / count


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    feat_size=st.sampled_from([(11, 8), (3, 14), (1, 1)]),
    radius=st.none() | st.floats(0.7072, 9),
    spread=st.sampled_from([1.0, 1.3, 30.0]),
)
def test_windows_hold_all_that_counts(seed, feat_size, radius, spread):
    """Disks at edges, beyond them and larger than the map: same losses, gradients."""
    init_default_scope('mmdet')
    head = build(roi_feat_size=feat_size, radius=radius)
    targets = case(seed, spread=spread)
    targets['visible'][1, 2] = 0
    maps = torch.randn(5, 3 * K, *head.map_size[::-1], requires_grad=True)
    results = []
    for losses in (
        tuple(head.loss(maps, **targets).values()),
        loss_over_whole_maps(head, maps, **targets),
    ):
        results.append((*losses, torch.autograd.grad(sum(losses), maps)[0]))
    torch.testing.assert_close(*results)


@pytest.mark.parametrize('score_loss', SCORE_LOSSES)
def test_gradients_are_those_of_finite_differences(score_loss):
    head, targets = build(score_loss=score_loss), case(spread=1.2)
    check_gradients(head, targets, torch.randn(5, 3 * K, 44, 32))


@pytest.mark.parametrize('score_loss', SCORE_LOSSES)
def test_offsets_learn_inside_the_disks_alone(score_loss):
    head, targets = build(score_loss=score_loss), case(spread=1.3)
    targets['visible'][0, 1] = 0
    maps = torch.randn(5, 3 * K, 44, 32, requires_grad=True)
    sum(head.loss(maps, **targets).values()).backward()
    disks, _ = batch_disk_targets(
        image_to_roi_map(targets['keypoints'], targets['rois'], head.map_size),
        targets['visible'] > 0,
        head.map_size,
        head.codec.radius,
    )
    inside = disks.repeat_interleave(2, dim=1) > 0
    gradient = maps.grad[:, K:]
    assert (gradient[inside] != 0).all() and not gradient[~inside].any()
    # a keypoint that isn't labelled teaches nothing
    assert not maps.grad[0, 1].any()


@pytest.mark.parametrize('score_loss', SCORE_LOSSES)
def test_mirrored_people_give_the_same_loss_and_mirrored_keypoints(score_loss):
    head, targets = build(score_loss=score_loss), case(spread=1.2)
    maps = perfect_maps(head, **targets) + 0.1 * torch.randn(5, 3 * K, 44, 32)
    flipped = maps.flip(-1)
    flipped[:, K::2] *= -1
    check_mirrors(head, targets, maps, flipped)


@pytest.mark.parametrize('score_loss', SCORE_LOSSES)
@pytest.mark.parametrize('why', ['no ROI', 'none visible', 'out of reach', 'no area'])
def test_nothing_to_learn_gives_zero_and_no_gradient(why, score_loss):
    head = build(score_loss=score_loss)
    targets = case(rois=0 if why == 'no ROI' else 5, size=why != 'no area')
    if why == 'none visible':
        targets['visible'].zero_()
    elif why == 'out of reach':
        targets['keypoints'] += 1000
    maps = head(torch.randn(len(targets['rois']), 8, 11, 8))
    losses = head.loss(maps, **targets)
    sum(losses.values()).backward()
    assert all(loss.item() == 0 for loss in losses.values())
    assert all(not parameter.grad.any() for parameter in head.parameters())
    keypoints, scores = head.predict(maps, targets['rois'])
    assert keypoints.shape == (len(maps), K, 2) and scores.shape == (len(maps), K)
    assert keypoints.isfinite().all() and scores.isfinite().all()


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="score_loss.*got 'l1'"):
        build(score_loss='l1')
    with pytest.raises(ValueError, match='radius'):
        build(radius=0.5)
