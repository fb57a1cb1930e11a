"""Keypoints go where their boxes go."""

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmdet.structures.bbox import HorizontalBoxes, get_box_type

from ogn_mm.structures.bbox import KeypointBoxes, inside_image

FLIP_INDICES = [0, 2, 1, 3]
IMAGE = (60, 100)  # height, width
SCENES = st.builds(
    lambda seed, people: scene(seed, people), st.integers(0, 99), st.integers(0, 4)
)


def scene(seed=0, people=3):
    """Boxes and their keypoints in an image, some of these not visible."""
    rng = np.random.default_rng(seed)
    corner, size = rng.uniform(0, 30, (people, 2)), rng.uniform(0, 30, (people, 2))
    points = corner[:, None] + rng.random((people, 4, 2)) * size[:, None]
    return KeypointBoxes(
        np.hstack([corner, corner + size]).astype(np.float32),
        torch.tensor(points, dtype=torch.float32),
        torch.tensor(rng.integers(0, 2, (people, 4)), dtype=torch.float32),
        FLIP_INDICES,
    )


def assert_equal(a, b):
    torch.testing.assert_close(a.tensor, b.tensor, atol=1e-4, rtol=0)
    torch.testing.assert_close(a.keypoints, b.keypoints, atol=1e-4, rtol=0)
    assert a.visible.equal(b.visible)


@settings(max_examples=30)
@given(SCENES, st.sampled_from(['horizontal', 'vertical', 'diagonal']))
def test_flipping_twice_changes_nothing(boxes, direction):
    flipped = boxes.clone()
    flipped.flip_(IMAGE, direction)
    assert len(boxes) == 0 or not flipped.keypoints.equal(boxes.keypoints)
    flipped.flip_(IMAGE, direction)
    assert_equal(flipped, boxes)


def test_flips_by_hand():
    points = [[0.0, 10], [20, 1], [30, 2], [99, 59]]
    boxes = KeypointBoxes(
        [[0, 0, 40, 50]],
        torch.tensor([points]),
        torch.tensor([[1.0, 1, 0, 1]]),
        FLIP_INDICES,
    )
    flipped = boxes.clone()
    flipped.flip_(IMAGE)
    assert flipped.keypoints[0].tolist() == [[99, 10], [69, 2], [79, 1], [0, 59]]
    assert flipped.visible[0].tolist() == [1, 0, 1, 1]
    flipped = boxes.clone()
    flipped.flip_(IMAGE, 'vertical')
    assert flipped.keypoints[0].tolist() == [[0, 49], [30, 57], [20, 58], [99, 0]]
    # half a turn is no mirror
    flipped = boxes.clone()
    flipped.flip_(IMAGE, 'diagonal')
    assert flipped.keypoints[0].tolist() == [[99, 49], [79, 58], [69, 57], [0, 0]]
    assert flipped.visible[0].tolist() == [1, 1, 0, 1]


@settings(max_examples=30)
@given(SCENES, st.floats(0.1, 8), st.floats(0.1, 8))
def test_corners_move_like_keypoints_on_them(boxes, fx, fy):
    """A box's corner is the outer edge of a pixel, half a pixel from its centre."""
    boxes.keypoints[:, 0] = boxes.tensor[:, :2] - 0.5
    boxes.keypoints[:, 3] = boxes.tensor[:, 2:] - 0.5
    boxes.rescale_((fx, fy))
    boxes.translate_([7.0, -3.0])
    torch.testing.assert_close(
        boxes.keypoints[:, 0], boxes.tensor[:, :2] - 0.5, atol=1e-3, rtol=1e-5
    )
    torch.testing.assert_close(
        boxes.keypoints[:, 3], boxes.tensor[:, 2:] - 0.5, atol=1e-3, rtol=1e-5
    )


def test_rotation_is_opencvs_projection():
    boxes, projected = scene(), scene()
    boxes.rotate_((50, 30), 90)
    # clockwise on the screen: right becomes down
    matrix = np.array([[0, -1, 80], [1, 0, -20], [0, 0, 1]])
    projected.project_(matrix)
    assert_equal(boxes, projected)
    x, y = scene().keypoints.unbind(-1)
    expected = torch.stack([80 - y, x - 20], -1)
    torch.testing.assert_close(projected.keypoints, expected, atol=1e-4, rtol=0)


def test_perspective_divides():
    boxes = scene()
    boxes.project_(np.diag([1.0, 1, 2]))
    torch.testing.assert_close(boxes.keypoints, scene().keypoints / 2)


@settings(max_examples=30)
@given(SCENES)
def test_boxes_move_as_without_keypoints(boxes):
    plain = boxes.convert_to('hbox')
    assert type(plain) is HorizontalBoxes
    for name, args in (
        ('rescale_', [(1.5, 0.5)]),
        ('translate_', [[-3.0, 4.0]]),
        ('flip_', [IMAGE]),
        ('rotate_', [(20, 20), 30]),
        ('project_', [np.array([[1, 0.1, 2], [0.2, 1, 3], [0, 0, 1]], np.float32)]),
        ('clip_', [(30, 30)]),
    ):
        getattr(boxes, name)(*args)
        getattr(plain, name)(*args)
        assert boxes.tensor.equal(plain.tensor), name
        assert boxes.keypoints.shape == (len(boxes), 4, 2)
        assert boxes.keypoints.dtype == torch.float32


def test_clipping_hides_for_good_and_moves_nothing():
    points = torch.tensor([[[-0.5, 0], [99.5, 59.5], [99.6, 0], [0, -0.6]]])
    boxes = KeypointBoxes([[0, 0, 9, 9]], points, torch.ones(1, 4), FLIP_INDICES)
    boxes.clip_(IMAGE)
    assert boxes.visible.tolist() == [[1, 1, 0, 0]]
    boxes.clip_((1000, 1000))
    assert boxes.visible.tolist() == [[1, 1, 0, 0]]
    assert boxes.keypoints.equal(points)


def test_inside_is_the_pixels_area():
    points = torch.tensor([[-0.5, -0.5], [1.5, 0.5], [1.6, 0], [0, 0.6]])
    assert inside_image(points, (1, 2)).tolist() == [True, True, False, False]


@pytest.mark.parametrize(
    'index',
    [
        np.array([True, False, True]),
        torch.tensor([True, False, True]),
        np.array([0, 2]),
        torch.tensor([0, 2]),
        [0, 2],
        slice(None, None, 2),
    ],
    ids=str,
)
def test_selection_keeps_keypoints_in_step(index):
    boxes = scene()
    chosen = boxes[index]
    assert len(chosen) == 2
    for i, j in enumerate((0, 2)):
        assert_equal(chosen[i], boxes[j])
    assert_equal(boxes[np.array([], int)], scene(people=0))


def test_copies_share_nothing():
    boxes = scene()
    for copied in (
        boxes.clone(),
        copy.deepcopy(boxes),
        pickle.loads(pickle.dumps(boxes)),
    ):
        assert_equal(copied, boxes)
        copied.clip_((5, 5))
        copied.keypoints += 1
    assert_equal(boxes, scene())


def test_joining_loses_keypoints_and_says_so():
    boxes = scene()
    with pytest.raises(ValueError, match=r'boxes without.*Mosaic'):
        boxes.cat([boxes, boxes])


def test_upstream_knows_the_type():
    assert get_box_type('keypoint')[1] is KeypointBoxes
    overlaps = KeypointBoxes.overlaps(scene(), scene())
    torch.testing.assert_close(overlaps.diagonal(), torch.ones(3))
