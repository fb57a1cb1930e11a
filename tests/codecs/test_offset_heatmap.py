"""The codec OffsetHeatmap: eq. 1 to 4, exact round trips, clear errors."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmpose.datasets.transforms import GetBBoxCenterScale, TopdownAffine
from scipy.ndimage import convolve1d

from ogn_mm.codecs import OffsetHeatmap
from ogn_mm.codecs.utils import generate_disk_targets, smooth_heatmaps
from ogn_mm.codecs.utils.smoothing import CPU_CHUNK, smooth_in_chunks

INPUT = (192, 256)


def build(stride=8, **kwargs):
    size = (INPUT[0] // stride, INPUT[1] // stride)
    return OffsetHeatmap(input_size=INPUT, heatmap_size=size, **kwargs)


def maps_of(encoded):
    return np.concatenate([encoded['heatmaps'], encoded['offsets']])


def test_values_by_hand():
    """R = 1 and g = (2.25, 1) on a 4 x 3 map: pixels (2, 1) and (3, 1) are in."""
    codec = OffsetHeatmap((4, 3), (4, 3), radius=1)
    encoded = codec.encode(np.array([[[2.25, 1.0]]]))
    heatmap = [[0, 0, 0, 0], [0, 0, 1, 1], [0, 0, 0, 0]]
    np.testing.assert_array_equal(encoded['heatmaps'][0], heatmap)
    np.testing.assert_array_equal(encoded['offset_weights'][0], heatmap)
    x_offsets = [[0, 0, 0, 0], [0, 0, 0.25, -0.75], [0, 0, 0, 0]]
    np.testing.assert_array_equal(encoded['offsets'][0], x_offsets)
    np.testing.assert_array_equal(encoded['offsets'][1], np.zeros((3, 4)))
    assert encoded['keypoint_weights'].tolist() == [[1]]
    # eq. 3 and 4: the maximum lies at (3, 1), its offset is (-0.5, 0.25) * R
    maps = np.zeros((3, 3, 4), np.float32)
    maps[0, 1, 3], maps[1, 1, 3], maps[2, 1, 3] = 0.7, -0.5, 0.25
    codec = OffsetHeatmap((8, 6), (4, 3), radius=2, sigma=0)
    keypoints, scores = codec.decode(maps)
    # heatmap (2, 1.5), stride 2: (2 + 0.5) * 2 - 0.5, (1.5 + 0.5) * 2 - 0.5
    np.testing.assert_allclose(keypoints, [[[4.5, 3.5]]])
    np.testing.assert_allclose(scores, [[0.7]])


positions = st.tuples(st.floats(-0.5, INPUT[0] - 0.5), st.floats(-0.5, INPUT[1] - 0.5))


@settings(max_examples=200)
@given(
    st.lists(positions, min_size=3, max_size=3),
    st.sampled_from([4, 8, 16, 32]),
    st.floats(0.7072, 4),
)
def test_round_trip_is_exact_inside_the_crop(points, stride, radius):
    codec = build(stride, radius=radius)
    keypoints = np.array([points])
    encoded = codec.encode(keypoints)
    assert encoded['keypoint_weights'].all()
    decoded, scores = codec.decode(maps_of(encoded))
    np.testing.assert_allclose(decoded, keypoints, atol=1e-3)
    np.testing.assert_array_equal(scores, 1)


@pytest.mark.parametrize('stride', [4, 8, 16, 32])
def test_corners_and_borders_with_the_default_radius(stride):
    x, y = INPUT[0] - 1, INPUT[1] - 1
    keypoints = np.array([[[0, 0], [x, 0], [0, y], [x, y], [x / 2, 0], [x, y / 3]]])
    decoded, _ = build(stride).decode(maps_of(build(stride).encode(keypoints)))
    np.testing.assert_allclose(decoded, keypoints, atol=1e-3)


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.sampled_from([4, 8, 16, 32]))
def test_round_trip_through_the_crop(seed, stride):
    """Box, crop, encode, decode and back to the image: 1e-3 pixels."""
    rng = np.random.default_rng(seed)
    low, size = rng.uniform(0, 100, 2), rng.uniform(30, 400, 2)
    image_points = (low + size * rng.uniform(0, 1, (1, 5, 2))).astype(np.float32)
    results = dict(
        img=np.zeros((8, 8, 3), np.uint8),
        bbox=np.array([[*low, *(low + size)]], np.float32),
        bbox_rotation=np.zeros(1, np.float32),
        keypoints=image_points,
    )
    results = TopdownAffine(INPUT)(GetBBoxCenterScale()(results))
    codec = build(stride)
    keypoints, _ = codec.decode(maps_of(codec.encode(results['transformed_keypoints'])))
    scale, center = results['input_scale'], results['input_center']
    back = keypoints / INPUT * scale + center - 0.5 * scale
    np.testing.assert_allclose(back, image_points, atol=1e-3)


def brute_force(keypoints, size, radius):
    """Eq. 1 and 2 pixel by pixel; of several keypoints the nearest counts."""
    width, height = size
    people, channels, _ = keypoints.shape
    heatmaps = np.zeros((channels, height, width))
    offsets = np.zeros((2 * channels, height, width))
    for k in range(channels):
        for y in range(height):
            for x in range(width):
                delta = keypoints[:, k] - (x, y)
                distance = np.hypot(*delta.T)
                nearest = distance.argmin()
                if distance[nearest] <= radius:
                    heatmaps[k, y, x] = 1
                    offsets[2 * k : 2 * k + 2, y, x] = delta[nearest] / radius
    return heatmaps, offsets


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.floats(0.71, 4), st.integers(1, 3))
def test_equals_a_plain_loop_over_all_pixels(seed, radius, people):
    rng = np.random.default_rng(seed)
    size = (7, 9)
    keypoints = rng.uniform((-3, -3), (10, 12), (people, 2, 2))
    valid = np.ones((people, 2), bool)
    heatmaps, offsets, drawn = generate_disk_targets(keypoints, valid, size, radius)
    expected_heatmaps, expected_offsets = brute_force(keypoints, size, radius)
    np.testing.assert_array_equal(heatmaps, expected_heatmaps)
    np.testing.assert_allclose(offsets, expected_offsets, atol=1e-6)
    for person in range(people):
        for k in range(2):
            alone = brute_force(keypoints[person : person + 1], size, radius)[0][k]
            assert drawn[person, k] == alone.any()


def test_outside_the_crop():
    """Within R of a pixel: exact. Farther out: weight 0, whatever the distance."""
    codec = build(8, radius=2)
    near = np.array([[[-12.0, 40.5], [200.2, 100.0]]])
    encoded = codec.encode(near)
    assert encoded['keypoint_weights'].all()
    np.testing.assert_allclose(codec.decode(maps_of(encoded))[0], near, atol=1e-3)
    far = np.array([[[-40.0, 40.5], [1e30, -1e30]]])
    encoded = codec.encode(far)
    assert not encoded['keypoint_weights'].any()
    assert not encoded['heatmaps'].any() and not encoded['offset_weights'].any()


def test_invisible_keypoints_are_left_out():
    encoded = build().encode(np.full((1, 2, 2), 50.0), np.array([[0, 0.5]]))
    np.testing.assert_array_equal(encoded['keypoint_weights'], [[0, 0.5]])
    assert not encoded['heatmaps'][0].any() and encoded['heatmaps'][1].max() == 1


def test_mirroring_commutes_with_encoding():
    codec = build(16)
    keypoints = np.random.default_rng(0).uniform((0, 0), (191, 255), (1, 4, 2))
    mirrored = keypoints * (-1, 1) + (191, 0)
    one, other = codec.encode(keypoints), codec.encode(mirrored)
    np.testing.assert_array_equal(other['heatmaps'], one['heatmaps'][..., ::-1])
    offsets = one['offsets'][..., ::-1].copy()
    offsets[::2] *= -1
    np.testing.assert_allclose(other['offsets'], offsets, atol=1e-6)


@pytest.mark.parametrize(
    'kernel_size, sigma', [(3, 0.5), (5, 0.75), (7, 2.0), (31, 9.0)]
)
def test_smoothing_equals_a_normalised_convolution(kernel_size, sigma):
    maps = np.random.default_rng(0).random((2, 3, 11, 8)).astype(np.float32)
    taps = np.arange(kernel_size) - kernel_size // 2
    kernel = np.exp(-0.5 * (taps / sigma) ** 2)

    def smooth(x):
        for axis in (-1, -2):
            x = convolve1d(x.astype(float), kernel, axis, mode='constant')
        return x

    expected = smooth(maps) / smooth(np.ones_like(maps))
    smoothed = smooth_heatmaps(torch.from_numpy(maps), kernel_size, sigma)
    np.testing.assert_allclose(smoothed, expected, atol=1e-6)

    people = 2 * CPU_CHUNK // maps[0].size
    batch = torch.from_numpy(maps).repeat(people, 1, 1, 1)
    chunks = [chunk.clone() for chunk in smooth_in_chunks(batch, kernel_size, sigma)]
    assert len(chunks) > 2
    expected = torch.from_numpy(expected).float().repeat(people, 1, 1, 1)
    torch.testing.assert_close(torch.cat(chunks), expected, atol=1e-6, rtol=0)


def test_batch_equals_one_by_one_on_noise():
    maps = np.random.default_rng(0).normal(size=(70, 51, 32, 24)).astype(np.float32)
    codec = build()
    keypoints, scores = codec.batch_decode(torch.from_numpy(maps))
    assert keypoints.shape == (70, 1, 17, 2) and scores.shape == (70, 1, 17)
    assert keypoints.dtype == scores.dtype == torch.float32
    assert scores.min() >= 0 and scores.max() <= 1
    for person in (0, 33, 69):
        one_keypoints, one_scores = codec.decode(maps[person])
        np.testing.assert_allclose(one_keypoints, keypoints[person], atol=1e-4)
        np.testing.assert_array_equal(one_scores, scores[person])


def test_smoothing_prefers_a_blob_to_an_outlier():
    """The score is still the raw value at the chosen pixel."""
    maps = np.zeros((3, 32, 24), np.float32)
    maps[0, 5, 5] = 1.0
    maps[0, 19:22, 9:12] = 0.8
    keypoints, scores = build().decode(maps)
    np.testing.assert_allclose(
        keypoints, [[[(10 + 0.5) * 8 - 0.5, (20 + 0.5) * 8 - 0.5]]]
    )
    assert scores.item() == pytest.approx(0.8)
    keypoints, _ = build(sigma=0).decode(maps)
    np.testing.assert_allclose(keypoints, [[[43.5, 43.5]]])


def test_half_precision_and_tracing():
    codec = build(16)
    maps = torch.rand(2, 51, 16, 12)
    keypoints, _ = codec.batch_decode(maps.bfloat16())
    assert keypoints.dtype == torch.float32
    traced = torch.jit.trace(lambda x: codec.batch_decode(x), maps)
    other = torch.rand(2, 51, 16, 12)
    torch.testing.assert_close(traced(other), codec.batch_decode(other))


@pytest.mark.parametrize(
    'stride, radius', [(32, 1), (16, 1), (8, 2**0.5), (4, 2), (2, 8**0.5)]
)
def test_default_radius(stride, radius):
    assert build(stride).radius == radius


@pytest.mark.parametrize(
    'kwargs, named',
    [
        (dict(radius=0), 'radius'),
        (dict(radius=0.7), 'radius'),
        (dict(radius=float('nan')), 'radius'),
        (dict(heatmap_size=(23, 32)), 'heatmap_size'),
        (dict(heatmap_size=(0, 32)), 'heatmap_size'),
        (dict(sigma=-1), 'sigma'),
        (dict(kernel_size=4), 'kernel_size'),
    ],
)
def test_bad_arguments_are_named(kwargs, named):
    with pytest.raises(ValueError, match=named):
        OffsetHeatmap(**{**dict(input_size=INPUT, heatmap_size=(24, 32)), **kwargs})


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
def test_bad_coordinates_are_named(value):
    keypoints = np.full((1, 3, 2), 10.0)
    keypoints[0, 1, 0] = value
    with pytest.raises(ValueError, match='keypoints must be finite'):
        build().encode(keypoints)
    with pytest.raises(ValueError, match='keypoints_visible must be finite'):
        build().encode(np.ones((1, 3, 2)), np.full((1, 3), value))
    with pytest.raises(ValueError, match='keypoints must have shape'):
        build().encode(np.ones((3, 2)))
    with pytest.raises(ValueError, match='keypoints_visible must have shape'):
        build().encode(np.ones((1, 3, 2)), np.ones((1, 2)))
    with pytest.raises(ValueError, match='heatmap_size'):
        build().decode(np.zeros((50, 32, 24), np.float32))
