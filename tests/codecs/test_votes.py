"""Decoding by the votes of several pixels instead of the best one alone."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ogn_mm.codecs import OffsetHeatmap

W, H = 12, 16
INPUT = (8 * W, 8 * H)


def build(**kwargs):
    return OffsetHeatmap(INPUT, (W, H), **kwargs)


def test_votes_by_hand():
    """Pixels (1, 1), (2, 1) of weights 0.6 and 0.2 point to (1.5, 1) and (2.5, 2)."""
    codec = OffsetHeatmap((4, 3), (4, 3), radius=1, sigma=0, vote_radius=1)
    maps = np.zeros((3, 3, 4), np.float32)
    maps[:, 1, 1] = 0.6, 0.5, 0
    maps[:, 1, 2] = 0.2, 0.5, 1
    maps[:, 2, 2] = 0.5, 9, 9  # a diagonal away from the best one: too far
    maps[:, 0, 1] = -0.5, 9, 9  # below 0: no vote
    keypoints, scores = codec.decode(maps)
    np.testing.assert_allclose(keypoints, [[[1.75, 1.25]]])
    np.testing.assert_allclose(scores, [[0.6]])


def test_maps_without_positives_take_the_best_pixel():
    maps = np.full((3, H, W), -1.0, np.float32)
    maps[:, 4, 3] = -0.5, 0.25, 0.5
    expected, _ = build(sigma=0).decode(maps)
    keypoints, scores = build(sigma=0, vote_radius=2).decode(maps)
    np.testing.assert_allclose(keypoints, expected, atol=1e-4)
    assert scores.tolist() == [[0]]


@settings(max_examples=100)
@given(
    st.floats(-0.5, INPUT[0] - 0.5),
    st.floats(-0.5, INPUT[1] - 0.5),
    st.floats(0.71, 3),
    st.floats(0.5, 3),
)
def test_round_trip_stays_exact(x, y, radius, vote_radius):
    codec = build(radius=radius, vote_radius=vote_radius)
    encoded = codec.encode(np.array([[[x, y]]]))
    maps = np.concatenate([encoded['heatmaps'], encoded['offsets']])
    keypoints, _ = codec.decode(maps)
    np.testing.assert_allclose(keypoints, [[[x, y]]], atol=1e-3)


@pytest.mark.parametrize('vote_radius', [1, 1.5, 2.3])
def test_equals_a_plain_loop(vote_radius):
    rng = np.random.default_rng(0)
    maps = rng.normal(0, 1, (5, 9, H, W)).astype(np.float32)
    codec = build(radius=1.5, sigma=0, vote_radius=vote_radius)
    found, _ = codec.batch_decode(torch.from_numpy(maps))
    alone = [codec.decode(person)[0] for person in maps]
    np.testing.assert_allclose(found, alone, atol=1e-4)
    for person in range(5):
        for k in range(3):
            heatmap, offsets = maps[person, k], maps[person, 3 + 2 * k : 5 + 2 * k]
            best_y, best_x = np.unravel_index(heatmap.argmax(), heatmap.shape)
            total, weights = np.zeros(2), 0
            for y in range(H):
                for x in range(W):
                    if (x - best_x) ** 2 + (y - best_y) ** 2 > vote_radius**2:
                        continue
                    weight = max(heatmap[y, x], 0)
                    total += weight * (np.array([x, y]) + 1.5 * offsets[:, y, x])
                    weights += weight
            keypoint = (total / weights + 0.5) * 8 - 0.5
            np.testing.assert_allclose(found[person, 0, k], keypoint, atol=1e-3)


def test_votes_average_the_noise_of_offsets():
    """Inside a disk of 13 equally sure pixels: 1 / sqrt(13) of the error of one."""
    rng = np.random.default_rng(0)
    keypoint = np.array([[[47.5, 63.5]]] * 500)  # at a corner between pixels
    encoded = build(radius=2).encode(keypoint[:1])
    maps = np.concatenate([encoded['heatmaps'], encoded['offsets']])
    maps = np.repeat(maps[None], 500, 0)
    maps[:, 1:] += rng.normal(0, 0.1, maps[:, 1:].shape)
    errors = [
        np.square(build(radius=2, vote_radius=v).batch_decode(maps)[0] - keypoint)
        for v in (0, 2)
    ]
    one, several = np.sqrt([error.mean() for error in errors])
    votes = (one / several) ** 2
    assert 6 < votes < 14


@pytest.mark.parametrize('vote_radius', [-1, float('inf'), float('nan')])
def test_bad_radius_is_named(vote_radius):
    with pytest.raises(ValueError, match='OffsetHeatmap: vote_radius must be >= 0'):
        build(vote_radius=vote_radius)


def test_half_precision_and_tracing():
    codec = build(vote_radius=1)
    maps = torch.rand(2, 9, H, W, dtype=torch.float16)
    expected = codec.batch_decode(maps.float())
    for found, wanted in zip(codec.batch_decode(maps), expected, strict=True):
        torch.testing.assert_close(found, wanted, atol=1e-2, rtol=0)
    traced = torch.jit.trace(codec.batch_decode, maps.float())
    other = torch.rand(3, 9, H, W)
    for found, wanted in zip(traced(other), codec.batch_decode(other), strict=True):
        torch.testing.assert_close(found, wanted)
