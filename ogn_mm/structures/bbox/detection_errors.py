"""How far a detector's boxes are off, in units that fit people of any size.

The four errors of a box: those of its centre, over the true width and height, and the
logarithms of its width and height over the true ones.
"""

import numpy as np


def box_errors(people: np.ndarray, detections: np.ndarray) -> np.ndarray:
    """Errors of detections, each against its person's annotated box.

    Args:
        people (np.ndarray): x1, y1, x2, y2, pixels, with area, (..., 4).
        detections (np.ndarray): The same.

    Returns:
        np.ndarray: dx / w, dy / h, log(w' / w), log(h' / h), (..., 4).
    """
    centre, size = _centre_and_size(people)
    found_centre, found_size = _centre_and_size(detections)
    shift = (found_centre - centre) / size
    return np.concatenate((shift, np.log(found_size / size)), -1)


def apply_box_errors(people: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """The inverse of `box_errors`: the boxes that have these errors.

    Args:
        people (np.ndarray): x1, y1, x2, y2, pixels, (..., 4).
        errors (np.ndarray): As from `box_errors`, (..., 4).

    Returns:
        np.ndarray: x1, y1, x2, y2, pixels, (..., 4).
    """
    centre, size = _centre_and_size(people)
    centre = centre + errors[..., :2] * size
    half = size * np.exp(errors[..., 2:]) / 2
    return np.concatenate((centre - half, centre + half), -1)


def fit_box_errors(
    errors: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of errors.

    Args:
        errors (np.ndarray): (M, 4).
        weights (np.ndarray): Of each, >= 0, (M,); one over the number of its person's
            detections if people are to count alike.

    Returns:
        tuple[np.ndarray, np.ndarray]: Mean (4,) and covariance (4, 4).

    Raises:
        ValueError: There are fewer than five errors, which fix no covariance.
    """
    if len(errors) < 5:
        raise ValueError(f'at least 5 matched detections are needed, got {len(errors)}')
    mean = np.average(errors, axis=0, weights=weights)
    return mean, np.cov(errors, rowvar=False, aweights=weights, ddof=0)


def _centre_and_size(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    lower, upper = boxes[..., :2], boxes[..., 2:]
    return (lower + upper) / 2, upper - lower
