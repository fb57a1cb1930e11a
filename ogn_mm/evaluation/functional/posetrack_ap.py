"""Average precision of joints, as PoseTrack's official evaluator computes it."""

from typing import NamedTuple

import numpy as np

from .posetrack_hits import Hits
from .posetrack_sequence import PoseSequence


class JointSamples(NamedTuple):
    """What P predictions say of each of the 15 joints.

    Attributes:
        scores (np.ndarray): (P, 15).
        correct (np.ndarray): bool, (P, 15).
        exist (np.ndarray): Which joints are predicted, bool, (P, 15).
        num_truth (np.ndarray): Annotated joints, int, (15,).
    """

    scores: np.ndarray
    correct: np.ndarray
    exist: np.ndarray
    num_truth: np.ndarray


def assign_people(
    hits: Hits, num_truth_joints: np.ndarray, num_found: int
) -> np.ndarray:
    """The true person that each prediction is taken to be.

    Each prediction keeps the person of whom it hits most joints, in shares of those
    annotated; each person takes the best of the predictions that kept it. Of equals
    the first counts. Nobody gets a second chance.

    Args:
        hits (Hits): Of one sequence.
        num_truth_joints (np.ndarray): Annotated joints of each true person, int, (G,).
        num_found (int): P, the number of predictions.

    Returns:
        np.ndarray: Places among the true people, or -1, int, (P,).
    """
    # the joints of a pair of people stand together
    changes = [np.diff(people, prepend=-1) != 0 for people in hits[:2]]
    first = np.flatnonzero(changes[0] | changes[1])
    counts = np.diff(first, append=len(hits.found))
    truth, found = hits.truth[first], hits.found[first]
    shares = counts / num_truth_joints[truth]
    # pairs are in order of found, then truth; the last key sorts first, and stably
    order = np.lexsort((-shares, found))
    best = order[np.unique(found[order], return_index=True)[1]]
    order = best[np.lexsort((-shares[best], truth[best]))]
    chosen = order[np.unique(truth[order], return_index=True)[1]]
    owners = np.full(num_found, -1)
    owners[found[chosen]] = truth[chosen]
    return owners


def collect_samples(
    truth: PoseSequence, found: PoseSequence, hits: Hits
) -> JointSamples:
    """The samples of one sequence, as :func:`average_precisions` takes them."""
    owners = assign_people(hits, truth.exist.sum(axis=1), len(found.frames))
    right = owners[hits.found] == hits.truth
    correct = np.zeros(found.exist.shape, bool)
    correct[hits.found[right], hits.joints[right]] = True
    return JointSamples(found.scores, correct, found.exist, truth.exist.sum(axis=0))


def join_samples(samples: list[JointSamples]) -> JointSamples:
    """Those of several sequences, in their order."""
    scores, correct, exist, num_truth = zip(*samples, strict=True)
    return JointSamples(
        np.concatenate(scores),
        np.concatenate(correct),
        np.concatenate(exist),
        np.sum(num_truth, axis=0),
    )


def average_precisions(samples: JointSamples) -> dict[str, np.ndarray]:
    """AP of each joint, and precision and recall of all that is predicted.

    AP is the area under the precision-recall curve, made to fall, at all its points.
    Of equal scores the sample that was collected last comes first. Where nothing is
    predicted all three are 0; where nothing is annotated, but something predicted, AP
    and recall are NaN.

    Args:
        samples (JointSamples): Of all sequences that count.

    Returns:
        dict[str, np.ndarray]: ``ap``, ``pre`` and ``rec`` in percent, (15,).
    """
    curves = [
        precision_recall(ranked_labels(samples, joint), samples.num_truth[joint])
        for joint in range(samples.exist.shape[1])
    ]
    return dict(zip(('ap', 'pre', 'rec'), 100 * np.array(curves).T, strict=True))


def ranked_labels(samples: JointSamples, joint: int) -> np.ndarray:
    """Labels of a joint's samples by falling score, bool."""
    exist = samples.exist[:, joint]
    order = samples.scores[exist, joint].argsort(kind='stable')[::-1]
    return samples.correct[exist, joint][order]


def precision_recall(labels: np.ndarray, num_truth: int) -> tuple[float, float, float]:
    """AP, last precision and last recall in [0, 1] of labels (N,), best score first."""
    if not len(labels):
        return 0.0, 0.0, 0.0
    num_right = labels.cumsum()
    precision = num_right / np.arange(1, len(labels) + 1)
    if not num_truth:
        return np.nan, precision[-1], np.nan
    recall = num_right / num_truth
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    ap = (np.diff(recall, prepend=0) * falling).sum()
    return ap, precision[-1], recall[-1]


def depends_on_ties(samples: JointSamples) -> bool:
    """Whether another order of equal scores would give some joint another AP."""
    for joint in range(samples.exist.shape[1]):
        exist = samples.exist[:, joint]
        scores, labels = samples.scores[exist, joint], samples.correct[exist, joint]
        if len(np.unique(scores)) == len(scores):
            continue
        worst, best = (
            precision_recall(
                labels[np.lexsort((order, -scores))], samples.num_truth[joint]
            )[0]
            for order in (labels, ~labels)
        )
        if best - worst > 1e-12:
            return True
    return False
