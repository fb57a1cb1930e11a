"""MOTA, MOTP, precision and recall of tracked joints, as in PoseTrack's evaluator.

Every joint of every sequence is a tracking problem of its own (CLEAR MOT, Bernardin and
Stiefelhagen 2008), matched as motmetrics does.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment

from .posetrack_pairs import Pairs
from .posetrack_sequence import PoseSequence

NOBODY = -1


def track_joints(
    truth: PoseSequence, found: PoseSequence, pairs: Pairs
) -> dict[str, np.ndarray]:
    """Count what happens to the joints of one sequence, frame by frame.

    As in the official evaluator, the last frame does not count. A frame in which one
    side has nobody enters as one miss and one false positive of every joint, however
    many people the other side has.

    Args:
        truth (PoseSequence): The ground truth, as `clean_up` leaves it.
        found (PoseSequence): The predictions, likewise.
        pairs (Pairs): Of both.

    Returns:
        dict[str, np.ndarray]: ``num_misses``, ``num_switches``,
        ``num_false_positives``, ``num_objects`` and ``num_detections``, int, (15,), and
        distance sums in head sizes, (15,): ``sum_dist_raw`` of all pairs within reach,
        ``sum_dist_matched`` of the matched ones and ``sum_dist_extra`` of those that
        count again because an identity changed.
    """
    counts, found_counts = truth.counts(), found.counts()
    counted = np.arange(truth.num_frames) < truth.num_frames - 1
    filled = counted & (counts > 0) & (found_counts > 0)
    num_hollow = int((counted & ~filled).sum())
    objects, hypotheses = (
        side.exist[filled[side.frames]].sum(axis=0) + num_hollow
        for side in (truth, found)
    )
    costs = np.where(pairs.hits, pairs.distances, np.inf)
    within = costs[filled[truth.frames[pairs.truth]]]
    result = dict(
        num_objects=objects,
        sum_dist_raw=np.where(np.isfinite(within), within, 0).sum(axis=0),
    )
    memory = Memory(truth, found)
    events = [
        memory.match(people, candidates, block)
        for people, candidates, block in frame_blocks(
            counts, found_counts, filled, costs
        )
    ]
    joints, matched, switches, extras = (
        np.concatenate(column) if events else np.zeros(0, int)
        for column in (zip(*events, strict=True) if events else [()] * 4)
    )

    def total(weights=None):
        return np.bincount(joints, weights, minlength=len(objects))

    result['num_detections'] = detections = total()
    return result | dict(
        num_misses=objects - detections,
        num_false_positives=hypotheses - detections,
        num_switches=total(switches).astype(int),
        sum_dist_matched=total(matched),
        sum_dist_extra=total(matched * extras),
    )


def frame_blocks(counts, found_counts, filled, costs):
    """For each filled frame the people on both sides, slices, and costs (15, G, P)."""
    first, first_found = (c.cumsum() - c for c in (counts, found_counts))
    sizes = counts * found_counts
    first_pair = sizes.cumsum() - sizes
    for frame in np.flatnonzero(filled):
        num, num_found = counts[frame], found_counts[frame]
        start, start_found, pair = first[frame], first_found[frame], first_pair[frame]
        block = costs[pair : pair + sizes[frame]].reshape(num_found, num, -1)
        yield (
            slice(start, start + num),
            slice(start_found, start_found + num_found),
            np.ascontiguousarray(block.transpose(2, 1, 0)),
        )


class Memory:
    """Who was matched to whom, for all joints of a sequence. Nothing expires.

    Args:
        truth (PoseSequence): The objects.
        found (PoseSequence): The hypotheses.
    """

    def __init__(self, truth: PoseSequence, found: PoseSequence):
        sides = [
            np.unique(side.track_ids, return_inverse=True) for side in (truth, found)
        ]
        (objects, self.objects), (hypotheses, self.hypotheses) = sides
        self.exist, self.found_exist = truth.exist, found.exist
        num_joints = truth.exist.shape[1]
        # The hypothesis that each object was last matched to.
        self.partners = np.full((num_joints, len(objects)), NOBODY)
        # The object that each hypothesis was last newly matched to.
        self.owners = np.full((num_joints, len(hypotheses)), NOBODY)

    def match(self, people: slice, candidates: slice, costs: np.ndarray):
        """Match the joints of a frame, and remember.

        Args:
            people (slice): The frame's G objects in their sequence.
            candidates (slice): Its P hypotheses.
            costs (np.ndarray): Distances, infinite where out of reach, (15, G, P).

        Returns:
            tuple: Of each match the joint, the distance, whether it is a switch, and
            how many times its distance counts again.
        """
        objects, hypotheses = self.objects[people], self.hypotheses[candidates]
        allowed = np.isfinite(costs)
        partners = self.partners[:, objects]
        kept = allowed & (partners[:, :, None] == hypotheses)
        # Two objects may remember one hypothesis: the first of them keeps it.
        kept &= kept.cumsum(axis=1) == 1
        left = allowed & ~kept.any(axis=2)[:, :, None] & ~kept.any(axis=1)[:, None]
        joints, rows, _ = kept.nonzero()
        distances = costs[kept]
        if not left.any():
            return joints, distances, np.zeros(len(joints), bool), np.zeros(len(joints))
        new = self.assign(left, costs, people, candidates)
        joint, row, column = new.nonzero()
        switch, extra = self.remember(joint, objects[row], hypotheses[column])
        none = np.zeros(len(joints), int)
        return (
            np.concatenate([joints, joint]),
            np.concatenate([distances, costs[new]]),
            np.concatenate([none.astype(bool), switch]),
            np.concatenate([none, extra]),
        )

    def assign(self, left, costs, people: slice, candidates: slice) -> np.ndarray:
        """The most pairs, and of these the closest, among those left, (15, G, P)."""
        rivals = (left.sum(axis=1) > 1).any(axis=1) | (left.sum(axis=2) > 1).any(axis=1)
        new = left & ~rivals[:, None, None]
        for joint in np.flatnonzero(rivals):
            rows = np.flatnonzero(self.exist[people, joint])
            columns = np.flatnonzero(self.found_exist[candidates, joint])
            index = np.ix_([joint], rows, columns)
            new[index] = assign_most(left[index][0], costs[index][0])
        return new

    def remember(self, joint, objects, hypotheses):
        """Note new matches; which are switches, and how often each counts again."""
        partners = self.partners[joint, objects]
        owners = self.owners[joint, hypotheses]
        switch = (partners != NOBODY) & (partners != hypotheses)
        ascend = switch & (owners == NOBODY)
        transfer = (owners != NOBODY) & (owners != objects)
        migrate = transfer & (partners == NOBODY)
        self.partners[joint, objects] = hypotheses
        self.owners[joint, hypotheses] = objects
        return switch, ascend.astype(int) + transfer + migrate


def assign_most(allowed: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """The largest one-to-one matching of allowed pairs, the cheapest of these.

    Args:
        allowed (np.ndarray): bool, (G, P), some of them true.
        costs (np.ndarray): Finite and >= 0 where allowed, (G, P).

    Returns:
        np.ndarray: Which pairs are matched, bool, (G, P).
    """
    # One forbidden pair costs more than any number of allowed ones. All rows and
    # columns take part, as in motmetrics: equal sums are then resolved alike.
    forbidden = 2 * min(costs.shape) * (costs[allowed].max() + 1) + 1
    rows, columns = linear_sum_assignment(np.where(allowed, costs, forbidden))
    matched = np.zeros(allowed.shape, bool)
    matched[rows, columns] = True
    return matched & allowed


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
