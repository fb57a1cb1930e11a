"""One-hot keypoints, with torchvision's functions as the independent reference.

torchvision's keypoints are continuous coordinates, in which pixel x has its centre at
x + 0.5; ours are pixels. Otherwise the definitions agree.
"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.models.detection.roi_heads import (
    heatmaps_to_keypoints,
    keypoints_to_heatmap,
)

from ogn_mm.codecs.utils import decode_one_hot, one_hot_targets, probability_within
from ogn_mm.codecs.utils.one_hot import PEAKS, SUBPIXELS
from ogn_mm.structures.bbox import image_to_roi_map, roi_map_to_image


def peaked_maps(generator, rois, keypoints, width, height):
    """A little noise and a Gaussian somewhere on each map, also at its edges."""
    shape = (rois, keypoints, 1, 1)
    x = torch.rand(shape, generator=generator) * width - 0.5
    y = torch.rand(shape, generator=generator) * height - 0.5
    columns, rows = torch.arange(width), torch.arange(height)[:, None]
    peak = torch.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8)
    noise = torch.randn(rois, keypoints, height, width, generator=generator)
    return 8 * peak + 0.1 * noise


def test_targets_by_hand():
    """A 4 x 3 map (w x h) reaches from -0.5 to 3.5 and 2.5."""
    points = torch.tensor(
        [[[0.0, 0.0], [1.6, 1.4], [3.5, 2.5], [-0.5, 0.5], [3.6, 1.0], [1.0, -0.6]]]
    )
    index, inside = one_hot_targets(points, (4, 3))
    assert index.tolist() == [[0, 4 + 2, 2 * 4 + 3, 4, 0, 0]]
    assert inside.tolist() == [[True, True, True, True, False, False]]


@given(st.integers(0, 2**32 - 1))
def test_targets_are_torchvision_s(seed):
    generator = torch.Generator().manual_seed(seed)
    low = 100 * torch.rand(6, 2, generator=generator)
    rois = torch.cat([low, low + 5 + 90 * torch.rand(6, 2, generator=generator)], 1)
    keypoints = 250 * torch.rand(6, 17, 3, generator=generator) - 30
    keypoints[..., 2] = torch.randint(0, 3, (6, 17), generator=generator)
    # the ROI's own corners count as inside
    keypoints[:, 0, :2], keypoints[:, 1, :2] = rois[:, :2], rois[:, 2:]
    expected, valid = keypoints_to_heatmap(keypoints, rois, 56)

    points = image_to_roi_map(keypoints[..., :2] - 0.5, rois, (56, 56))
    index, inside = one_hot_targets(points, (56, 56))
    inside &= keypoints[..., 2] > 0
    # on the edge of a pixel the two round in different ways
    from_edge = (points + 0.5).frac().abs()
    clear = ((from_edge > 1e-4) & (from_edge < 1 - 1e-4)).all(-1)
    assert torch.equal(inside[clear], valid.bool()[clear])
    counted = clear & inside
    assert torch.equal(index[counted], expected[counted])


@pytest.mark.parametrize('size', [56, 28])
def test_decoding_is_torchvision_s(size):
    """For ROIs as many times as large as the map as a pixel has positions."""
    generator = torch.Generator().manual_seed(size)
    maps = peaked_maps(generator, 20, 5, size, size)
    low = 100 * torch.rand(20, 2, generator=generator).round()
    rois = torch.cat([low, low + SUBPIXELS * size], dim=1)
    expected, _ = heatmaps_to_keypoints(maps, rois)
    points = decode_one_hot(maps)
    found = roi_map_to_image(points, rois, (size, size)) + 0.5
    torch.testing.assert_close(found, expected[..., :2], atol=1e-3, rtol=0)


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 9))
def test_decoded_points_lie_on_the_map_near_one_of_its_best_pixels(seed, width, height):
    generator = torch.Generator().manual_seed(seed)
    maps = peaked_maps(generator, 2, 3, width, height)
    points = decode_one_hot(maps)
    best = maps.flatten(2).topk(min(PEAKS, width * height), dim=2).indices
    pixels = torch.stack([best % width, best // width], dim=-1)
    near = ((points[:, :, None] - pixels).abs() < 1).all(dim=-1)
    assert near.any(dim=-1).all()
    assert (points >= -0.5).all()
    assert (points <= torch.tensor([width - 0.5, height - 0.5])).all()


def test_best_pixel_may_be_far_from_the_maximum():
    """Between four pixels of 0.9 bicubic interpolation exceeds the single 1."""
    maps = torch.zeros(1, 1, 9, 12)
    maps[0, 0, 2, 2] = 1
    maps[0, 0, 5:7, 8:10] = 0.9
    column, row = decode_one_hot(maps)[0, 0].tolist()
    assert 8 < column < 9 and 5 < row < 6


@given(st.integers(0, 2**32 - 1))
def test_mirrored_maps_give_mirrored_points(seed):
    generator = torch.Generator().manual_seed(seed)
    maps = peaked_maps(generator, 2, 3, 12, 16)
    points, mirrored = decode_one_hot(maps), decode_one_hot(maps.flip(-1))
    mirrored[..., 0] = 11 - mirrored[..., 0]
    # rounding decides between two positions that are equally good
    torch.testing.assert_close(mirrored, points, rtol=0, atol=1 / SUBPIXELS + 1e-4)


def test_probability_equals_a_plain_loop():
    generator = torch.Generator().manual_seed(0)
    maps = torch.rand(2, 3, 5, 4, generator=generator)
    maps /= maps.sum(dim=(2, 3), keepdim=True)
    points = torch.rand(2, 3, 2, generator=generator) * 5
    found = probability_within(maps, points, 1.5)
    for i in range(2):
        for k in range(3):
            x, y = points[i, k].tolist()
            near = sum(
                maps[i, k, row, column].item()
                for row in range(5)
                for column in range(4)
                if math.hypot(row - y, column - x) <= 1.5
            )
            assert found[i, k].item() == pytest.approx(near)
    torch.testing.assert_close(probability_within(maps, points, 99), torch.ones(2, 3))


def test_no_roi():
    assert decode_one_hot(torch.zeros(0, 17, 56, 56)).shape == (0, 17, 2)
