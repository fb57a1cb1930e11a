"""The people of a PoseTrack sequence, as arrays."""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np

from ogn_mm.datasets.posetrack.files import frame_number
from ogn_mm.engine.json_files import printable

NO_SCORE = -9999.0  # of joints whose file gives none
TRACK_ID_LIMIT = 10000


class PoseSequence(NamedTuple):
    """P people of one sequence, by frame and, in a frame, in the order of the file.

    Joints are the 15 of `POSETRACK17_JOINTS`.

    Attributes:
        source (str): The file's name, for messages.
        num_frames (int): F.
        labelled (np.ndarray): Labelled frames in which the file lists a person, bool,
            (F,). Predictions have no labels: all frames count that list a person.
        frames (np.ndarray): The people's frames in [0, F), ascending, int, (P,).
        track_ids (np.ndarray): int, (P,), unique in a frame.
        keypoints (np.ndarray): x, y in pixels, float64, (P, 15, 2).
        exist (np.ndarray): Which joints there are, bool, (P, 15).
        scores (np.ndarray): float64, (P, 15); `NO_SCORE` where there are none.
        head_sizes (np.ndarray): 0.6 of the head box's diagonal in pixels, (P,); NaN
            without a box.
        regions (Sequence): Frame and polygon (V, 2) of each region that is ignored.
        image_names (Sequence): Of each frame, or None; empty where there are none.
        skipped (Counter): How much of the file does not count, by reason.
    """

    source: str
    num_frames: int
    labelled: np.ndarray
    frames: np.ndarray
    track_ids: np.ndarray
    keypoints: np.ndarray
    exist: np.ndarray
    scores: np.ndarray
    head_sizes: np.ndarray
    regions: Sequence = ()
    image_names: Sequence = ()
    skipped: Counter = Counter()

    def take(self, people: np.ndarray) -> 'PoseSequence':
        """The sequence with the people at the given places, or where a mask is true."""
        columns = ('frames', 'track_ids', 'keypoints', 'exist', 'scores', 'head_sizes')
        return self._replace(**{name: getattr(self, name)[people] for name in columns})

    def counts(self) -> np.ndarray:
        """The number of people in each frame, int, (F,)."""
        return np.bincount(self.frames, minlength=self.num_frames)


def check_track_ids(
    source: str, frames: np.ndarray, track_ids: Sequence[int]
) -> np.ndarray:
    """Check that ids are below 10000 and unique in each frame.

    Args:
        source (str): The file's name, for messages.
        frames (np.ndarray): The people's frames, int, (P,).
        track_ids (Sequence[int]): P of any size.

    Returns:
        np.ndarray: The ids, int, (P,).

    Raises:
        ValueError: They are not.
    """
    for beyond in (i for i in track_ids if abs(i) >= TRACK_ID_LIMIT):
        raise ValueError(
            f"{source}: 'track_id' should be below {TRACK_ID_LIMIT}, found {beyond}"
        )
    ids = np.array(track_ids, int)
    order = np.lexsort((ids, frames))
    pairs = np.stack([frames, ids])[:, order]
    again = (np.diff(pairs, axis=1) == 0).all(axis=0)
    if again.any():
        frame, track_id = pairs[:, again.argmax()]
        raise ValueError(
            f"{source}: frame {frame}: two people have the 'track_id' {track_id}"
        )
    return ids


def check_frames(truth: PoseSequence, found: PoseSequence) -> None:
    """Check that predictions have the frames of the ground truth, in its order.

    Frames go together by their places, as in the official evaluator. Where both files
    name the images, they should have the same numbers; but one may count from 0 and the
    other from 1, as PoseTrack's years do.

    Raises:
        ValueError: They do not.
    """
    if truth.num_frames != found.num_frames:
        raise ValueError(
            f'{found.source}: has {found.num_frames} frames, but {truth.source} has '
            f'{truth.num_frames}'
        )
    names = list(zip(truth.image_names, found.image_names, strict=False))
    # NaN where a number is not known
    pairs = [[frame_number(name) for name in pair] for pair in names]
    numbers = np.array(pairs, float).reshape(-1, 2)
    known = ~np.isnan(numbers).any(axis=1)
    starts = numbers[known].min(axis=0, initial=np.inf)
    if set(starts) == {0, 1}:
        numbers -= starts
    differ = known & (numbers[:, 0] != numbers[:, 1])
    if differ.any():
        place = int(differ.argmax())
        expected, found_name = (printable(PurePosixPath(n).name) for n in names[place])
        raise ValueError(
            f'{found.source}: frame {place} is {found_name}, but {expected} in '
            f'{truth.source}; frames go together by their places in both files: list '
            'those of the predictions in the order of the ground truth'
        )


def head_sizes(corners: np.ndarray) -> np.ndarray:
    """0.6 of the diagonals of head boxes x1, y1, x2, y2, (P, 4)."""
    return 0.6 * np.sqrt(((corners[:, 2:] - corners[:, :2]) ** 2).sum(axis=1))
