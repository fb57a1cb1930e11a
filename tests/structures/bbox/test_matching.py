import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmpose.structures.bbox import bbox_overlaps

from ogn_mm.structures.bbox import assign_detections, box_iou


def random_boxes(rng, count):
    """On a coarse grid, so that ties and equal boxes occur."""
    corner = rng.integers(0, 5, (count, 2))
    size = rng.integers(0, 4, (count, 2))
    return np.concatenate((corner, corner + size), 1).astype(np.float32)


@given(seed=st.integers(0, 2**32 - 1))
def test_iou_equals_mmpose(seed):
    rng = np.random.default_rng(seed)
    a, b = random_boxes(rng, 6), random_boxes(rng, 5)
    expected = bbox_overlaps(torch.from_numpy(a), torch.from_numpy(b)).numpy()
    found = box_iou(a[:, None], b)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_array_equal(box_iou(a[:5], b), np.diagonal(found[:5]))


@given(
    seed=st.integers(0, 2**32 - 1),
    people=st.integers(0, 8),
    detections=st.integers(0, 20),
    iou_thr=st.sampled_from([0.1, 0.5, 1.0]),
)
def test_assignment_equals_a_double_loop(seed, people, detections, iou_thr):
    rng = np.random.default_rng(seed)
    boxes, found = random_boxes(rng, people), random_boxes(rng, detections)
    images, found_images = rng.integers(0, 3, people), rng.integers(0, 4, detections)
    expected = []
    for box, image in zip(found, found_images, strict=True):
        best, owner = iou_thr, -1
        for i in range(people):
            iou = box_iou(box, boxes[i])
            if images[i] == image and (iou > best or (iou == best and owner < 0)):
                best, owner = iou, i
        expected.append(owner)
    owners = assign_detections(boxes, images, found, found_images, iou_thr)
    assert owners.tolist() == expected


def test_by_hand():
    people = np.float32([[0, 0, 10, 10], [20, 0, 30, 10], [0, 0, 10, 10]])
    images = np.array([5, 5, 7])
    found = np.float32(
        [[0, 0, 10, 8], [0, 0, 10, 4], [21, 0, 31, 10], [0, 0, 10, 9], [0, 0, 9, 9]]
    )
    # IoU 0.8, 0.4, 0.82; then another image, and one without people
    owners = assign_detections(people, images, found, np.array([5, 5, 5, 7, 6]), 0.5)
    assert owners.tolist() == [0, -1, 1, 2, -1]


def test_boxes_without_area_overlap_nothing():
    point = np.zeros((1, 4))
    with np.errstate(all='raise'):
        assert box_iou(point, point) == pytest.approx(0)
