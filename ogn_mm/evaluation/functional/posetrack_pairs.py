"""What PoseTrack's metrics compare: people of the same frames, and their distances.

Definitions are those of the official evaluator (github.com/leonid-pishchulin/poseval),
oddities included.
"""

from typing import NamedTuple

import numpy as np
import shapely

from .posetrack_sequence import PoseSequence

HIT = 0.5  # largest distance of a correct joint, in head sizes


class Pairs(NamedTuple):
    """The N pairs of a prediction and a true person in one frame.

    Ordered by frame, then prediction, then true person.

    Attributes:
        truth (np.ndarray): Places of the true people in their sequence, int, (N,).
        found (np.ndarray): Places of the predictions, int, (N,).
        distances (np.ndarray): Of the joints in head sizes, (N, 15); infinite unless
            both have the joint.
        hits (np.ndarray): Which joints are correct, bool, (N, 15).
    """

    truth: np.ndarray
    found: np.ndarray
    distances: np.ndarray
    hits: np.ndarray


def clean_up(
    truth: PoseSequence, found: PoseSequence
) -> tuple[PoseSequence, PoseSequence]:
    """Leave out what does not count, on both sides.

    Frames in which nobody is annotated go first, with all that is found in them. Then,
    in frames with ignored regions, joints strictly inside one go, and people without a
    joint left.

    Args:
        truth (PoseSequence): The ground truth, with its regions.
        found (PoseSequence): The predictions.

    Returns:
        tuple[PoseSequence, PoseSequence]: Both with the frames that are left.

    Raises:
        ValueError: The numbers of frames differ.
    """
    if truth.num_frames != found.num_frames:
        raise ValueError(
            f'{found.source}: has {found.num_frames} frames, but {truth.source} has '
            f'{truth.num_frames}'
        )
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
        )
        sides.append(drop_ignored(side))
    return sides[0], sides[1]


def drop_ignored(people: PoseSequence) -> PoseSequence:
    """Leave out joints inside ignored regions and people that have none left."""
    exist = people.exist.copy()
    dropped = np.zeros(len(people.frames), bool)
    for frame, polygon in people.regions:
        here = slice(*np.searchsorted(people.frames, [frame, frame + 1]))
        if len(polygon):
            x, y = people.keypoints[here].transpose(2, 0, 1)
            exist[here] &= ~shapely.contains_xy(shapely.Polygon(polygon), x, y)
        dropped[here] = True
    dropped &= ~exist.any(axis=1)
    return people._replace(exist=exist).take(~dropped)


def make_pairs(truth: PoseSequence, found: PoseSequence) -> Pairs:
    """Pair all people of each frame and measure the distances of their joints.

    Args:
        truth (PoseSequence): The ground truth, as :func:`clean_up` leaves it.
        found (PoseSequence): The predictions, likewise.

    Raises:
        ValueError: A true person has no head box.
    """
    counts = truth.counts()
    partners = counts[found.frames]
    pred = np.repeat(np.arange(len(found.frames)), partners)
    # Places among each prediction's partners, counted from the frame's first person.
    offset = np.arange(len(pred)) - np.repeat(partners.cumsum() - partners, partners)
    first = counts.cumsum() - counts
    true = first[found.frames[pred]] + offset

    headless = np.isnan(truth.head_sizes)
    if headless[true].any():
        person = true[headless[true].argmax()]
        raise ValueError(
            f"{truth.source}: the person with 'track_id' {truth.track_ids[person]} has "
            "no head box ('bbox_head', or 'x1' to 'y2' in 2017's layout)"
        )
    delta = found.keypoints[pred] - truth.keypoints[true]
    with np.errstate(divide='ignore', invalid='ignore'):
        distances = np.sqrt((delta**2).sum(axis=-1)) / truth.head_sizes[true, None]
        distances[~(found.exist[pred] & truth.exist[true])] = np.inf
        return Pairs(true, pred, distances, distances <= HIT)
