"""Average precision of joints, as PoseTrack's official evaluator computes it."""

from typing import NamedTuple

import numpy as np

from .posetrack_pairs import Pairs
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


def assign_people(pairs: Pairs, num_truth_joints: np.ndarray) -> np.ndarray:
    """Pairs of a prediction and the true person that it is taken to be.

    Each prediction keeps the person of whom it hits most joints, in shares of those
    annotated; each person takes the best of the predictions that kept it. Of equals
    the first counts. Nobody gets a second chance.

    Args:
        pairs (Pairs): Of one sequence, N.
        num_truth_joints (np.ndarray): Annotated joints of each true person, int, (G,).

    Returns:
        np.ndarray: Places among the pairs, int.
    """
    shares = pairs.hits.sum(axis=1) / np.maximum(num_truth_joints[pairs.truth], 1)
    # first key last: by prediction, then by falling share; stable
    order = np.lexsort((-shares, pairs.found))
    best = order[np.unique(pairs.found[order], return_index=True)[1]]
    best = best[shares[best] > 0]
    order = best[np.lexsort((best, -shares[best], pairs.truth[best]))]
    return order[np.unique(pairs.truth[order], return_index=True)[1]]


def collect_samples(
    truth: PoseSequence, found: PoseSequence, pairs: Pairs
) -> JointSamples:
    """The samples of one sequence, as :func:`average_precisions` takes them."""
    correct = np.zeros(found.exist.shape, bool)
    chosen = assign_people(pairs, truth.exist.sum(axis=1))
    correct[pairs.found[chosen]] = pairs.hits[chosen]
    return JointSamples(found.scores, correct, found.exist, truth.exist.sum(axis=0))


def join_samples(samples: list[JointSamples]) -> JointSamples:
    """Those of several sequences, in their order."""
    return JointSamples(
        *(np.concatenate([s[i] for s in samples]) for i in range(3)),
        num_truth=np.sum([s.num_truth for s in samples], axis=0),
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
        worst, best = (
            precision_recall(
                labels[np.lexsort((order, -scores))], samples.num_truth[joint]
            )[0]
            for order in (labels, ~labels)
        )
        if best - worst > 1e-12:
            return True
    return False
