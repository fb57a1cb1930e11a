"""Keypoints on the maps of ROIs: where ROIAlign looks, and back without loss."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmcv.ops import RoIAlign

from ogn_mm.structures.bbox import (
    has_area,
    image_to_roi_map,
    rescale_keypoints,
    roi_map_to_image,
)

SIZES = st.tuples(st.integers(1, 96), st.integers(1, 96))


def random_rois(generator, number):
    low = 400 * torch.rand(number, 2, generator=generator) - 50
    extent = 2 + 300 * torch.rand(number, 2, generator=generator)
    return torch.cat([low, low + extent], dim=1)


def test_by_hand():
    rois = torch.tensor([[10.0, 20.0, 20.0, 60.0]])
    # centre of pixel (10, 20); the ROI's upper left and lower right corners
    keypoints = torch.tensor([[[10.0, 20.0], [9.5, 19.5], [19.5, 59.5]]])
    expected = torch.tensor([[[-0.25, -0.45], [-0.5, -0.5], [4.5, 3.5]]])
    points = image_to_roi_map(keypoints, rois, (5, 4))
    torch.testing.assert_close(points, expected)
    torch.testing.assert_close(roi_map_to_image(points, rois, (5, 4)), keypoints)


@given(st.integers(0, 2**32 - 1), SIZES)
def test_there_and_back(seed, map_size):
    generator = torch.Generator().manual_seed(seed)
    rois = random_rois(generator, 5)
    keypoints = 600 * torch.rand(5, 3, 2, generator=generator) - 100
    points = image_to_roi_map(keypoints, rois, map_size)
    found = roi_map_to_image(points, rois, map_size)
    torch.testing.assert_close(found, keypoints, atol=1e-3, rtol=0)


@pytest.mark.parametrize('stride', [1, 4])
@pytest.mark.parametrize('sampling_ratio', [0, 1, 2])
def test_a_map_pixel_lies_where_roi_align_takes_it_from(stride, sampling_ratio):
    """Features that hold their own image coordinates come out as the pixels'."""
    y, x = torch.meshgrid(torch.arange(80.0), torch.arange(80.0), indexing='ij')
    features = (torch.stack([x, y])[None] + 0.5) * stride - 0.5
    rois = stride * torch.tensor([[10.2, 20.3, 30.9, 60.0], [40.0, 5.5, 47.5, 70.1]])
    align = RoIAlign((6, 3), 1 / stride, sampling_ratio, aligned=True)
    found = align(features, torch.cat([torch.zeros(2, 1), rois], dim=1))
    rows, columns = torch.meshgrid(torch.arange(6.0), torch.arange(3.0), indexing='ij')
    points = torch.stack([columns, rows], -1).view(1, -1, 2).expand(2, -1, -1)
    expected = roi_map_to_image(points, rois, (3, 6)).transpose(1, 2)
    torch.testing.assert_close(found.flatten(2), expected, atol=1e-3, rtol=1e-5)


@given(st.integers(0, 2**32 - 1), SIZES)
def test_mirrored_image_gives_mirrored_map(seed, map_size):
    generator = torch.Generator().manual_seed(seed)
    width = 640
    rois = random_rois(generator, 4)
    keypoints = 500 * torch.rand(4, 3, 2, generator=generator)
    mirrored_rois = torch.stack(
        [width - rois[:, 2], rois[:, 1], width - rois[:, 0], rois[:, 3]], dim=1
    )
    mirrored = keypoints.clone()
    mirrored[..., 0] = width - 1 - keypoints[..., 0]
    expected = image_to_roi_map(keypoints, rois, map_size)
    expected[..., 0] = map_size[0] - 1 - expected[..., 0]
    found = image_to_roi_map(mirrored, mirrored_rois, map_size)
    torch.testing.assert_close(found, expected, atol=2e-3, rtol=1e-4)


def test_roi_without_area():
    rois = torch.tensor([[5.0, 5, 5, 5], [5, 5, 5, 9], [5, 5, 6, 9]])
    assert has_area(rois).tolist() == [False, False, True]
    points = image_to_roi_map(torch.full((3, 2, 2), 7.0), rois, (56, 56))
    assert points.isfinite().all()
    found = roi_map_to_image(torch.full((3, 1, 2), 20.0), rois, (56, 56))
    # a point's keypoints lie in the point
    torch.testing.assert_close(found[0], torch.tensor([[4.5, 4.5]]))


def test_keypoints_follow_a_resized_image():
    """Twice as wide: the centre of pixel 0 comes to lie between pixels 0 and 1."""
    keypoints = torch.tensor([[0.0, 10.0], [-0.5, 3.0]])
    found = rescale_keypoints(keypoints, torch.tensor([2.0, 0.5]))
    assert found.tolist() == [[0.5, 4.75], [-0.5, 1.25]]
