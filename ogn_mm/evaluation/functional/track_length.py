"""Tracks that are too short to be believed."""

from collections.abc import Sequence

import numpy as np


def in_long_tracks(frames: Sequence[np.ndarray], min_length: int) -> list[np.ndarray]:
    """Which poses of a video belong to tracks of a minimum length.

    Args:
        frames (Sequence[np.ndarray]): For each frame of a video its poses' identities,
            int, (M,).
        min_length (int): Poses that a track has at least.

    Returns:
        list[np.ndarray]: For each frame, bool, (M,).
    """
    if not frames:
        return []
    ids, lengths = np.unique(np.concatenate(frames), return_counts=True)
    return [np.isin(frame, ids[lengths >= min_length]) for frame in frames]
