"""Correct joints, on which all of PoseTrack's metrics rest.

Definitions are those of the official evaluator (github.com/leonid-pishchulin/poseval),
oddities included.
"""

from typing import NamedTuple

import numpy as np

from ogn_mm.structures.keypoint import inside_regions

from .posetrack_sequence import PoseSequence, check_frames

HIT = 0.5  # largest distance of a correct joint, in head sizes


class Hits(NamedTuple):
    """The N joints that are predicted where a true person has them.

    A joint may be hit by several predictions and the other way round. Ordered by
    prediction, then true person, then joint, and so by frame as well.

    Attributes:
        truth (np.ndarray): Places of the true people in their sequence, int, (N,).
        found (np.ndarray): Places of the predictions, int, (N,).
        joints (np.ndarray): In [0, 15), int, (N,).
        distances (np.ndarray): In head sizes, in [0, 0.5], (N,).
    """

    truth: np.ndarray
    found: np.ndarray
    joints: np.ndarray
    distances: np.ndarray


def clean_up(
    truth: PoseSequence, found: PoseSequence
) -> tuple[PoseSequence, PoseSequence]:
    """Leave out what does not count, on both sides.

    Frames that are not labelled, or in which nobody is annotated, go first, with all
    that is found in them. Then, in frames with ignored regions, joints strictly inside
    one go, and people without a joint left.

    Args:
        truth (PoseSequence): The ground truth, with its regions.
        found (PoseSequence): The predictions.

    Returns:
        tuple[PoseSequence, PoseSequence]: Both with the frames that are left.

    Raises:
        ValueError: They do not have the same frames, or in another order.
    """
    check_frames(truth, found)
    kept = truth.labelled
    place = kept.cumsum() - 1
    regions = [(place[frame], area) for frame, area in truth.regions if kept[frame]]
    sides = []
    for side in (truth, found):
        side = side.take(kept[side.frames])
        side = side._replace(
            num_frames=int(kept.sum()),
            labelled=kept[kept],
            frames=place[side.frames],
            regions=regions,
            image_names=(),  # they have done their service
        )
        sides.append(drop_ignored(side))
    return sides[0], sides[1]


def drop_ignored(people: PoseSequence) -> PoseSequence:
    """Leave out joints inside ignored regions and people that have none left."""
    exist = people.exist.copy()
    dropped = np.zeros(len(people.frames), bool)
    for frame, polygon in people.regions:
        here = slice(*np.searchsorted(people.frames, [frame, frame + 1]))
        exist[here] &= ~inside_regions(people.keypoints[here], [polygon])
        dropped[here] = True
    dropped &= ~exist.any(axis=1)
    return people._replace(exist=exist).take(~dropped)


def find_hits(truth: PoseSequence, found: PoseSequence) -> Hits:
    """Compare the people of each frame and find the joints that are correct.

    Args:
        truth (PoseSequence): The ground truth, as :func:`clean_up` leaves it.
        found (PoseSequence): The predictions, likewise.

    Raises:
        ValueError: A true person with joints has no head box, in a frame with
            predictions.
    """
    true, pred = pair_people(truth, found)
    headless = np.isnan(truth.head_sizes[true]) & truth.exist[true].any(axis=1)
    if headless.any():
        person = true[headless.argmax()]
        raise ValueError(
            f"{truth.source}: the person with 'track_id' {truth.track_ids[person]} has "
            "no head box ('bbox_head', or 'x1' to 'y2' in 2017's layout)"
        )
    near = are_near(truth, found, true, pred)
    true, pred = true[near], pred[near]
    delta = found.keypoints[pred] - truth.keypoints[true]
    with np.errstate(divide='ignore', invalid='ignore'):
        distances = np.sqrt((delta**2).sum(axis=-1)) / truth.head_sizes[true, None]
        # a head without extent gives infinity or NaN, and no hit
        hits = (distances <= HIT) & found.exist[pred] & truth.exist[true]
    pairs, joints = hits.nonzero()
    return Hits(true[pairs], pred[pairs], joints, distances[hits])


def pair_people(
    truth: PoseSequence, found: PoseSequence
) -> tuple[np.ndarray, np.ndarray]:
    """Places of the true person and the prediction of every pair within a frame."""
    counts = truth.counts()
    partners = counts[found.frames]
    pred = np.repeat(np.arange(len(found.frames)), partners)
    # places among each prediction's partners, counted from the frame's first person
    offset = np.arange(len(pred)) - np.repeat(partners.cumsum() - partners, partners)
    first = counts.cumsum() - counts
    return first[found.frames[pred]] + offset, pred


def are_near(truth, found, true: np.ndarray, pred: np.ndarray) -> np.ndarray:
    """Which pairs are near enough to have a joint in common, bool."""
    reach = HIT * truth.head_sizes[true, None] + 1e-6
    low, high = extents(truth)
    found_low, found_high = extents(found)
    apart = (found_low[pred] - reach > high[true]) | (
        found_high[pred] + reach < low[true]
    )
    return ~apart.any(axis=1)


def extents(people: PoseSequence) -> tuple[np.ndarray, np.ndarray]:
    """Corners of the people's keypoints, (P, 2) each; of nobody's, infinities."""
    exist = people.exist[..., None]
    return (
        np.where(exist, people.keypoints, np.inf).min(axis=1),
        np.where(exist, people.keypoints, -np.inf).max(axis=1),
    )
