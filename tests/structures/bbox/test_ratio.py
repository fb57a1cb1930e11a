"""Boxes get the ratio without losing anything, and are what the top-down crop cuts."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from mmpose.datasets.transforms import GetBBoxCenterScale, TopdownAffine

from ogn_mm.datasets.transforms import RandomBBoxScaleRotate
from ogn_mm.structures.bbox import extend_to_ratio

RATIOS = st.sampled_from([192 / 256, 256 / 352, 1.0, 2.5]) | st.floats(0.1, 10)


@st.composite
def boxes(draw, dtype=np.float64):
    """Boxes of many shapes, also without area: x1, y1 and width, height."""
    shape = draw(array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=4))
    corner = draw(arrays(dtype, (*shape, 2), elements=st.integers(-500, 500)))
    size = draw(arrays(dtype, (*shape, 2), elements=st.integers(0, 500)))
    return np.concatenate((corner, corner + size), -1)


@given(boxes=boxes(), ratio=RATIOS, padding=st.floats(1, 2))
def test_box_has_the_ratio_and_holds_the_old_one(boxes, ratio, padding):
    before = boxes.copy()
    extended = extend_to_ratio(boxes, ratio, padding)
    assert extended.shape == boxes.shape
    np.testing.assert_array_equal(boxes, before)
    size, old = (b[..., 2:] - b[..., :2] for b in (extended, boxes))
    np.testing.assert_allclose(size[..., 0], size[..., 1] * ratio, atol=1e-9)
    centre = extended[..., 2:] + extended[..., :2]
    np.testing.assert_allclose(centre, boxes[..., 2:] + boxes[..., :2], atol=1e-9)
    # one side is as long as before, up to the padding, and none is shorter
    growth = size / padding - old
    np.testing.assert_allclose(growth.min(-1), 0, atol=1e-9)


def test_by_hand():
    # 3:4; too narrow, too low, just right
    boxes = np.array([[0, 0, 10, 40], [0, 0, 60, 40], [10, 10, 40, 50]], np.float32)
    expected = [[-10, 0, 20, 40], [0, -20, 60, 60], [10, 10, 40, 50]]
    np.testing.assert_array_equal(extend_to_ratio(boxes, 3 / 4), expected)
    padded = extend_to_ratio(boxes[2], 3 / 4, 2.0)
    np.testing.assert_array_equal(padded, [-5, -10, 55, 70])


@given(boxes=boxes(np.float32), ratio=RATIOS, padding=st.floats(0.5, 2))
def test_torch_equals_numpy(boxes, ratio, padding):
    expected = extend_to_ratio(boxes, ratio, padding)
    found = extend_to_ratio(torch.from_numpy(boxes), ratio, padding)
    assert found.dtype == torch.float32 and expected.dtype == np.float32
    np.testing.assert_array_equal(found.numpy(), expected)


def test_gradients_pass():
    boxes = torch.tensor([[0.0, 0, 10, 40]], requires_grad=True)
    extend_to_ratio(boxes, 0.75)[0, 2].backward()
    # x2' = (x1 + x2) / 2 + 0.75 (y2 - y1) / 2
    assert boxes.grad.tolist() == [[0.5, -0.375, 0.5, 0.375]]


@given(
    corner=st.tuples(st.floats(-50, 300), st.floats(-50, 300)),
    size=st.tuples(st.floats(1, 400), st.floats(1, 400)),
    input_size=st.sampled_from([(192, 256), (256, 352), (288, 384)]),
    padding=st.sampled_from([1.0, 1.25]),
    image_scale=st.floats(0.9, 1.2),
)
def test_top_down_crop_is_the_extended_box(
    corner, size, input_size, padding, image_scale
):
    """Also after augmentation, which scales both sides alike."""
    box = np.float32([[*corner, *np.add(corner, size)]])
    sample = dict(
        img=np.zeros((4, 4, 3), np.uint8),
        bbox=box,
        keypoints=np.zeros((1, 17, 2), np.float32),
    )
    sample = GetBBoxCenterScale(padding=padding)(sample)
    sample = RandomBBoxScaleRotate((image_scale, image_scale))(sample)
    sample = TopdownAffine(input_size)(sample)
    centre, half = sample['input_center'], sample['input_scale'] / 2 * image_scale
    crop = np.concatenate((centre - half, centre + half))
    ratio = input_size[0] / input_size[1]
    expected = extend_to_ratio(box[0].astype(float), ratio, padding)
    np.testing.assert_allclose(crop, expected, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize('name', ['ratio', 'padding'])
@pytest.mark.parametrize('value', [0, -1.0, float('nan')])
def test_names_a_bad_argument(name, value):
    arguments = dict(ratio=1.0, padding=1.0) | {name: value}
    with pytest.raises(ValueError, match=f'{name} must be positive, got {value}'):
        extend_to_ratio(np.zeros((1, 4)), **arguments)
