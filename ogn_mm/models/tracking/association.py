"""Tracks joined with detections by similarity, and points moved by optical flow."""

import numpy as np
from scipy.optimize import linear_sum_assignment


def match(similarity: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Pair tracks with detections for the greatest total similarity.

    The Hungarian algorithm, as in Girdhar et al., "Detect-and-Track", CVPR 2018. A
    pair below the threshold counts as none, so that no good pair is given up for it.

    Args:
        similarity (np.ndarray): >= 0, (T, D).
        threshold (float): Least similarity of a pair.

    Returns:
        tuple[np.ndarray, np.ndarray]: The pairs' rows and columns, int, (P,) each;
        rows ascend.
    """
    allowed = similarity >= threshold
    rows, columns = linear_sum_assignment(
        np.where(allowed, similarity, 0), maximize=True
    )
    paired = allowed[rows, columns]
    return rows[paired], columns[paired]


def feature_similarity(
    features: np.ndarray, others: np.ndarray, max_distance: float
) -> np.ndarray:
    """Similarity of unit features: 1 at distance 0, falling evenly to 0.

    Args:
        features (np.ndarray): Each is brought to Euclidean length 1, (T, C).
        others (np.ndarray): (D, C).
        max_distance (float): Euclidean distance from which on the similarity is 0; no
            two unit vectors are farther apart than 2.

    Returns:
        np.ndarray: In [0, 1], (T, D).
    """
    features, others = (
        values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
        for values in (features, others)
    )
    # |a - b|^2 = |a|^2 + |b|^2 - 2ab, without an array (T, D, C)
    squares = [(values**2).sum(axis=1) for values in (features, others)]
    squared = squares[0][:, None] + squares[1] - 2 * features @ others.T
    return (1 - np.sqrt(squared.clip(0)) / max_distance).clip(0, 1)


def sample_flow(flow: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Optical flow at points between the pixels, by bilinear interpolation.

    Args:
        flow (np.ndarray): x and y in pixels, (H, W, 2).
        points (np.ndarray): x and y in pixels, whose centres are integers, (..., 2).
            Beyond the image they get the flow of the nearest pixel.

    Returns:
        np.ndarray: float32, (..., 2).
    """
    last = np.array([flow.shape[1] - 1, flow.shape[0] - 1])
    points = np.clip(points, 0, last)
    x, y = np.moveaxis(points.astype(int), -1, 0)
    right, below = np.minimum(x + 1, last[0]), np.minimum(y + 1, last[1])
    from_left, from_top = np.moveaxis(points - np.stack([x, y], -1), -1, 0)[..., None]
    above = flow[y, x] * (1 - from_left) + flow[y, right] * from_left
    under = flow[below, x] * (1 - from_left) + flow[below, right] * from_left
    return (above * (1 - from_top) + under * from_top).astype(np.float32)


def pose_extents(poses: np.ndarray, min_score: float, padding: float) -> np.ndarray:
    """Boxes around the keypoints of poses, as Xiao et al. (ECCV 2018) propagate them.

    Args:
        poses (np.ndarray): x, y in pixels and score of K keypoints, (N, K, 3).
        min_score (float): Keypoints that score less are left out.
        padding (float): Share of its width and height by which a box grows, half of
            it on each side; 0.15 in SimpleBaseline.

    Returns:
        np.ndarray: x1, y1, x2, y2, (N, 4); NaN where no keypoint is left.
    """
    seen = (poses[..., 2] >= min_score)[..., None]
    low = np.where(seen, poses[..., :2], np.inf).min(axis=1)
    high = np.where(seen, poses[..., :2], -np.inf).max(axis=1)
    low, high = (np.where(seen.any(axis=1), side, np.nan) for side in (low, high))
    margin = (high - low) * (padding / 2)
    return np.concatenate([low - margin, high + margin], axis=1)
