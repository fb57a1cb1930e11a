"""Matching, feature similarity, flow at points: by hand and by brute force."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import map_coordinates

from ogn_mm.models.tracking.association import (
    feature_similarity,
    match,
    pose_extents,
    sample_flow,
)

SIMILARITIES = arrays(
    float, st.tuples(st.integers(0, 4), st.integers(0, 4)), elements=st.floats(0, 1)
)


def test_pairs_by_hand():
    """The greatest total: track 0 leaves its best detection to track 1."""
    similarity = np.array([[0.9, 0.8], [0.8, 0.1]])
    rows, columns = match(similarity, 0.3)
    assert rows.tolist() == [0, 1] and columns.tolist() == [1, 0]
    # the total without the pair below the threshold is what counts
    rows, columns = match(np.array([[0.5, 0.49], [0.49, 0.0]]), 0.495)
    assert rows.tolist() == [0] and columns.tolist() == [0]


@given(SIMILARITIES, st.floats(0.01, 1))
def test_no_other_pairs_are_better(similarity, threshold):
    rows, columns = match(similarity, threshold)
    assert len(set(rows)) == len(rows) and len(set(columns)) == len(columns)
    assert (similarity[rows, columns] >= threshold).all()
    values = np.where(similarity >= threshold, similarity, 0)
    values = values.T if values.shape[0] > values.shape[1] else values
    best = max(
        sum(values[i, j] for i, j in enumerate(order))
        for order in permutations(range(values.shape[1]), values.shape[0])
    )
    assert similarity[rows, columns].sum() == pytest.approx(best)


def test_feature_similarity():
    rng = np.random.default_rng(0)
    features, others = rng.normal(size=(3, 8)), rng.normal(size=(4, 8))
    unit = [f / np.linalg.norm(f, axis=1)[:, None] for f in (features, others)]
    distances = np.linalg.norm(unit[0][:, None] - unit[1], axis=-1)
    np.testing.assert_allclose(
        feature_similarity(features, others, 2.0), 1 - distances / 2
    )
    # at right angles the distance is the root of 2
    near = feature_similarity(np.eye(2), 5 * np.eye(2), 1.0)
    np.testing.assert_allclose(near, np.eye(2), atol=1e-7)


def test_flow_between_pixels():
    rng = np.random.default_rng(0)
    flow = rng.normal(size=(5, 7, 2)).astype(np.float32)
    points = rng.uniform(-2, 9, (4, 3, 2))
    expected = np.stack(
        [
            map_coordinates(flow[..., i], points[..., ::-1].T.swapaxes(1, 2), order=1,
                            mode='nearest')
            for i in (0, 1)
        ],
        axis=-1,
    )  # fmt: skip
    np.testing.assert_allclose(sample_flow(flow, points), expected, atol=1e-5)
    assert sample_flow(flow, np.zeros((0, 2))).shape == (0, 2)


def test_extents():
    """Two keypoints count, the third scores too little; then nobody's do."""
    poses = np.array(
        [
            [[10, 20, 0.9], [30, 60, 0.2], [500, 500, 0.1]],
            [[10, 20, 0.1], [30, 60, 0.1], [50, 50, 0.1]],
        ]
    )
    boxes = pose_extents(poses, 0.2, 0.15)
    np.testing.assert_allclose(boxes[0], [8.5, 17, 31.5, 63])
    assert np.isnan(boxes[1]).all()
