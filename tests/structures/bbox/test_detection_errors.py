import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ogn_mm.structures.bbox import apply_box_errors, box_errors, fit_box_errors


def random_boxes(rng, count):
    corner, size = rng.uniform(0, 200, (count, 2)), rng.uniform(5, 200, (count, 2))
    return np.concatenate((corner, corner + size), 1)


def test_by_hand():
    errors = box_errors(np.array([0.0, 0, 10, 20]), np.array([5.0, -10, 15, 30]))
    np.testing.assert_allclose(errors, [0.5, 0, 0, np.log(2)])


@given(seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([0.25, 1.0, 8.0]))
def test_errors_applied_give_the_detections_at_any_size(seed, scale):
    rng = np.random.default_rng(seed)
    people, found = random_boxes(rng, 7), random_boxes(rng, 7)
    errors = box_errors(people, found)
    np.testing.assert_allclose(apply_box_errors(people, errors), found, atol=1e-9)
    scaled = box_errors(people * scale + 3, found * scale + 3)
    np.testing.assert_allclose(scaled, errors, atol=1e-9)


def test_fit_finds_the_distribution():
    rng = np.random.default_rng(0)
    mean = np.array([0.02, -0.03, 0.05, -0.1])
    root = rng.normal(0, 0.05, (4, 4))
    errors = mean + rng.standard_normal((40000, 4)) @ root.T
    found, covariance = fit_box_errors(errors, np.ones(len(errors)))
    np.testing.assert_allclose(found, mean, atol=2e-3)
    np.testing.assert_allclose(covariance, root @ root.T, atol=4e-4)


def test_weights_count_as_repetition():
    errors = np.random.default_rng(1).normal(size=(6, 4))
    weights = np.array([1, 2, 1, 3, 1, 1])
    weighted = fit_box_errors(errors, weights / 3)
    repeated = fit_box_errors(errors.repeat(weights, axis=0), np.ones(9))
    for a, b in zip(weighted, repeated, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_too_few_errors():
    with pytest.raises(ValueError, match='at least 5 matched detections.*got 4'):
        fit_box_errors(np.zeros((4, 4)), np.ones(4))
