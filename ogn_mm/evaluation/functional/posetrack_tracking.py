"""MOTA, MOTP, precision and recall of tracked joints, as in PoseTrack's evaluator.

Every joint of every sequence is a tracking problem of its own (CLEAR MOT, Bernardin and
Stiefelhagen 2008), matched as motmetrics does.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment

from .posetrack_hits import Hits
from .posetrack_sequence import PoseSequence

NOBODY = -1


def track_joints(
    truth: PoseSequence, found: PoseSequence, hits: Hits
) -> dict[str, np.ndarray]:
    """Count what happens to the joints of one sequence, frame by frame.

    As in the official evaluator, the last frame does not count. A frame in which one
    side has nobody enters as one miss and one false positive of every joint, however
    many people the other side has.

    Args:
        truth (PoseSequence): The ground truth, as `clean_up` leaves it.
        found (PoseSequence): The predictions, likewise.
        hits (Hits): Of both: the pairs of joints that can be matched.

    Returns:
        dict[str, np.ndarray]: ``num_misses``, ``num_switches``,
        ``num_false_positives``, ``num_objects`` and ``num_detections``, int, (15,), and
        distance sums in head sizes, (15,): ``sum_dist_raw`` of all pairs within reach,
        ``sum_dist_matched`` of the matched ones and ``sum_dist_extra`` of those that
        count again because an identity changed.
    """
    counted = np.arange(truth.num_frames) < truth.num_frames - 1
    filled = counted & (truth.counts() > 0) & (found.counts() > 0)
    num_hollow = int((counted & ~filled).sum())
    objects, hypotheses = (
        side.exist[filled[side.frames]].sum(axis=0) + num_hollow
        for side in (truth, found)
    )
    frames = truth.frames[hits.truth]
    end = np.searchsorted(frames, truth.num_frames - 1)
    hits = Hits(*(column[:end] for column in hits))
    matched, switches, extras = match_frames(truth, found, hits, frames[:end])

    def total(which, weights=None):
        return np.bincount(hits.joints[which], weights, minlength=len(objects))

    detections = total(matched)
    distances = hits.distances
    return dict(
        num_misses=objects - detections,
        num_switches=total(switches),
        num_false_positives=hypotheses - detections,
        num_objects=objects,
        num_detections=detections,
        sum_dist_raw=total(slice(None), distances),
        sum_dist_matched=total(matched, distances[matched]),
        sum_dist_extra=total(slice(None), distances * extras),
    )


def match_frames(
    truth: PoseSequence, found: PoseSequence, hits: Hits, frames: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Match objects and hypotheses, all joints of a frame at once.

    Args:
        truth (PoseSequence): The objects.
        found (PoseSequence): The hypotheses.
        hits (Hits): N, those that count.
        frames (np.ndarray): Their frames, ascending, int, (N,).

    Returns:
        tuple: Which hits are matched and which of these are switches, bool, (N,), and
        how often the distance of each counts again, int, (N,).
    """
    memory = Memory(truth, found, hits)
    matched, switches = np.zeros((2, len(frames)), bool)
    extras = np.zeros(len(frames), int)
    bounds = np.flatnonzero(np.diff(frames, prepend=-1, append=-1)).tolist()
    for start, stop in zip(bounds[:-1], bounds[1:], strict=True):
        here = np.arange(start, stop)
        kept, left = memory.carry_on(here)
        matched[kept] = True
        if len(left):
            new = np.concatenate(choose_pairs(truth, found, hits, left))
            matched[new] = True
            switches[new], extras[new] = memory.remember(new)
    return matched, switches, extras


class Memory:
    """Who was matched to whom, for all joints of a sequence. Nothing expires.

    Args:
        truth (PoseSequence): The objects.
        found (PoseSequence): The hypotheses.
        hits (Hits): What can be matched, N.
    """

    def __init__(self, truth: PoseSequence, found: PoseSequence, hits: Hits):
        num_joints = truth.exist.shape[1]
        # A number for every track of every joint, by hit.
        self.objects, self.hypotheses = (
            np.unique(side.track_ids, return_inverse=True)[1][people] * num_joints
            + hits.joints
            for side, people in ((truth, hits.truth), (found, hits.found))
        )
        num_objects = num_joints * len(truth.frames)
        num_hypotheses = num_joints * len(found.frames)
        # The hypothesis that each object was last matched to.
        self.partners = np.full(num_objects, NOBODY)
        # The object that each hypothesis was last newly matched to.
        self.owners = np.full(num_hypotheses, NOBODY)
        # The latest hit that matched each.
        self.object_hits = np.full(num_objects, NOBODY)
        self.hypothesis_hits = np.full(num_hypotheses, NOBODY)

    def carry_on(self, here: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of a frame's hits those that continue a match, and those still possible."""
        objects, hypotheses = self.objects[here], self.hypotheses[here]
        kept = self.partners[objects] == hypotheses
        # Two objects may remember one hypothesis: the first, written last, keeps it.
        again = here[kept]
        self.hypothesis_hits[hypotheses[kept][::-1]] = again[::-1]
        again = again[self.hypothesis_hits[hypotheses[kept]] == again]
        self.object_hits[self.objects[again]] = again
        free = (self.object_hits[objects] < here[0]) & (
            self.hypothesis_hits[hypotheses] < here[0]
        )
        return again, here[free]

    def remember(self, new: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Note new matches; which are switches, and how often each counts again."""
        objects, hypotheses = self.objects[new], self.hypotheses[new]
        partners, owners = self.partners[objects], self.owners[hypotheses]
        switch = (partners != NOBODY) & (partners != hypotheses)
        ascend = switch & (owners == NOBODY)
        transfer = (owners != NOBODY) & (owners != objects)
        migrate = transfer & (partners == NOBODY)
        self.partners[objects] = hypotheses
        self.owners[hypotheses] = objects
        return switch, ascend.astype(int) + transfer + migrate


def choose_pairs(
    truth: PoseSequence, found: PoseSequence, hits: Hits, left: np.ndarray
) -> list[np.ndarray]:
    """Of a frame's hits that are left the most that fit together, the closest of them.

    Args:
        truth (PoseSequence): The objects.
        found (PoseSequence): The hypotheses.
        hits (Hits): All.
        left (np.ndarray): Places among the hits, int, at least one.

    Returns:
        list[np.ndarray]: Places among the hits.
    """
    joints = hits.joints[left]
    contested = np.zeros(truth.exist.shape[1], bool)
    for people in (hits.truth[left], hits.found[left]):
        _, inverse, counts = np.unique(
            people * len(contested) + joints, return_inverse=True, return_counts=True
        )
        contested[joints[counts[inverse] > 1]] = True
    chosen = [left[~contested[joints]]]
    for joint in np.flatnonzero(contested):
        rivals = left[joints == joint]
        (rows, num_rows), (columns, num_columns) = (
            places_in_frame(side, people[rivals], joint)
            for side, people in ((truth, hits.truth), (found, hits.found))
        )
        costs = hits.distances[rivals]
        shape = (num_rows, num_columns)
        chosen.append(rivals[assign_most(rows, columns, costs, shape)])
    return chosen


def places_in_frame(side: PoseSequence, people: np.ndarray, joint: int):
    """Where people of a frame are among those that have a joint, and their number."""
    frame = side.frames[people[0]]
    first, last = np.searchsorted(side.frames, [frame, frame + 1])
    places = side.exist[first:last, joint].cumsum()
    return places[people - first] - 1, int(places[-1])


def assign_most(
    rows: np.ndarray, columns: np.ndarray, costs: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    """The largest one-to-one matching of allowed pairs, the cheapest of these.

    Args:
        rows (np.ndarray): Of the N allowed pairs, N > 0, int, (N,).
        columns (np.ndarray): int, (N,).
        costs (np.ndarray): >= 0, (N,).
        shape (tuple[int, int]): Number of rows and of columns.

    Returns:
        np.ndarray: Which of the pairs are matched, bool, (N,).
    """
    # One forbidden pair costs more than any number of allowed ones. All rows and
    # columns take part, as in motmetrics: equal sums are then resolved alike.
    matrix = np.full(shape, 2 * min(shape) * (costs.max() + 1) + 1)
    matrix[rows, columns] = costs
    matched = np.zeros(shape, bool)
    matched[linear_sum_assignment(matrix)] = True
    return matched[rows, columns]


def tracking_metrics(counts: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """CLEAR MOT metrics from the sums over all sequences that count.

    Args:
        counts (dict[str, np.ndarray]): As :func:`track_joints` gives them.

    Returns:
        dict[str, np.ndarray]: ``mota``, ``motp``, ``pre`` and ``rec`` in percent,
        (15,). NaN where there is nothing to count, but for MOTP, which is then 0.
        MOTP is the official evaluator's, which counts a matched distance at least
        twice; MOTA and MOTP may be negative.
    """
    objects = counts['num_objects']
    detections = counts['num_detections']
    false_positives = counts['num_false_positives']
    errors = counts['num_misses'] + counts['num_switches'] + false_positives
    distances = sum(counts[f'sum_dist_{part}'] for part in ('raw', 'matched', 'extra'))
    with np.errstate(divide='ignore', invalid='ignore'):
        return dict(
            mota=np.where(objects, 100 * (1 - errors / objects), np.nan),
            motp=np.where(detections, 100 * (1 - distances / detections), 0),
            pre=100 * detections / (false_positives + detections),
            rec=100 * detections / objects,
        )
