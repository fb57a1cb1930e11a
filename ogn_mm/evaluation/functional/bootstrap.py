"""Paired bootstrap over images for differences in COCO keypoint AP.

People are matched image by image, so matching is done once, by COCOeval itself. A
resample only changes how often each image counts, and AP follows from the matches
and these counts alone.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from xtcocotools.coco import COCO

from .coco_eval import run_coco_eval

RECALLS = np.linspace(0, 1, 101)  # at which COCO reads off the precision


class PoseMatches(NamedTuple):
    """Predicted poses matched to people: D poses by falling score, I images.

    Attributes:
        images (np.ndarray): The image of each pose, in [0, I), int, (D,).
        hits (np.ndarray): Which poses match a person at each of the T = 10 OKS
            thresholds .5, .55, ..., .95, bool, (T, D).
        misses (np.ndarray): Which match nothing, bool, (T, D). Poses on people
            that COCO ignores (crowds, nobody labelled) are neither.
        people (np.ndarray): Number of people in each image that count, (I,).
    """

    images: np.ndarray
    hits: np.ndarray
    misses: np.ndarray
    people: np.ndarray


def match_poses(
    ground_truth: COCO,
    results: str | Path | list,
    sigmas: np.ndarray | None = None,
    use_area: bool = True,
    iou_type: str = 'keypoints',
) -> PoseMatches:
    """Match predicted poses to the annotated people as COCOeval does.

    Args:
        ground_truth, results, sigmas, use_area, iou_type: As for
            :func:`run_coco_eval`.

    Returns:
        PoseMatches: over all images of the annotations, by rising id.
    """
    coco_eval = run_coco_eval(ground_truth, results, sigmas, use_area, iou_type)
    index = {image: i for i, image in enumerate(coco_eval.params.imgIds)}
    people = np.zeros(len(index), int)
    num_thresholds = len(coco_eval.params.iouThrs)
    images, scores = [np.zeros(0, int)], [np.zeros(0)]
    matched = [np.zeros((num_thresholds, 0), bool)]
    ignored = [np.zeros((num_thresholds, 0), bool)]
    for found in filter(None, coco_eval.evalImgs):
        image = index[found['image_id']]
        people[image] += np.count_nonzero(np.equal(found['gtIgnore'], 0))
        images.append(np.full(len(found['dtScores']), image))
        scores.append(found['dtScores'])
        matched.append(found['dtMatches'] >= 0)
        ignored.append(found['dtIgnore'].astype(bool))
    order = np.argsort(-np.concatenate(scores), kind='stable')
    matched = np.concatenate(matched, axis=1)[:, order]
    counted = ~np.concatenate(ignored, axis=1)[:, order]
    return PoseMatches(
        np.concatenate(images)[order], matched & counted, ~matched & counted, people
    )


def average_precision(
    matches: PoseMatches, counts: np.ndarray | None = None
) -> np.ndarray:
    """COCO's average precision of a data set that holds image i ``counts[i]`` times.

    Args:
        matches (PoseMatches): Of I images.
        counts (np.ndarray, optional): Non-negative integers, (I,). Defaults to ones.

    Returns:
        np.ndarray: AP in [0, 1] at each OKS threshold, (T,); their mean is COCO's
        AP. NaN where nobody counts.
    """
    if counts is None:
        counts = np.ones(len(matches.people), int)
    num_people = matches.people @ counts
    if num_people == 0:
        return np.full(len(matches.hits), np.nan)
    weights = counts[matches.images]
    present = weights > 0
    hits = np.cumsum(matches.hits[:, present] * weights[present], axis=1)
    misses = np.cumsum(matches.misses[:, present] * weights[present], axis=1)
    # the last column is the precision of recalls that are never reached
    precision = np.zeros((len(hits), hits.shape[1] + 1))
    precision[:, :-1] = hits / (hits + misses + np.spacing(1))
    precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    recall = hits / num_people
    return np.array(
        [
            p[np.searchsorted(r, RECALLS)].mean()
            for p, r in zip(precision, recall, strict=True)
        ]
    )


def bootstrap_difference(
    runs: Sequence[PoseMatches],
    baseline: Sequence[PoseMatches],
    num_resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[float, float, float]:
    """Difference in AP between two models, with an interval over images.

    The images are drawn with replacement; both models, and all runs of each, see
    the same draws. AP is averaged over a model's runs.

    Args:
        runs (Sequence[PoseMatches]): One for each run (seed) of the model.
        baseline (Sequence[PoseMatches]): The same of the model to compare with, on
            the same images; the number of runs may differ.
        num_resamples (int): Number of draws. Defaults to 1000.
        confidence (float): Share of the draws inside the interval. Defaults to 0.95.
        seed (int): Of the draws. Defaults to 0.

    Returns:
        tuple[float, float, float]: AP of the model less AP of the baseline, and the
        percentile interval's low and high end, in [-1, 1].

    Raises:
        ValueError: The runs were not tested on the same people.
    """
    people = runs[0].people
    for matches in (*runs, *baseline):
        if not np.array_equal(matches.people, people):
            raise ValueError('a paired bootstrap needs runs tested on the same images')

    def difference(counts=None):
        first, second = (
            np.mean([average_precision(matches, counts) for matches in group])
            for group in (runs, baseline)
        )
        return first - second

    rng = np.random.default_rng(seed)
    draws = rng.multinomial(
        len(people), np.full(len(people), 1 / len(people)), size=num_resamples
    )
    # a draw without anybody says nothing
    differences = [difference(counts) for counts in draws if counts @ people]
    tail = 50 * (1 - confidence)
    low, high = np.percentile(differences, (tail, 100 - tail))
    return float(difference()), float(low), float(high)


def bootstrap_mean(
    sums: np.ndarray, counts: np.ndarray | None = None, num_resamples: int = 1000
) -> tuple[float, float, float]:
    """Mean over images or videos drawn with replacement, with its 95 % interval.

    Args:
        sums (np.ndarray): Sum of the values of each image, (I,).
        counts (np.ndarray, optional): Number of values of each, at least 1, (I,).
            Defaults to ones.
        num_resamples (int): Number of draws, always the same. Defaults to 1000.

    Returns:
        tuple[float, float, float]: The mean, and the percentile interval's low and high
        end.
    """
    counts = np.ones(len(sums)) if counts is None else counts
    rng = np.random.default_rng(0)
    chosen = rng.integers(len(sums), size=(num_resamples, len(sums)))
    means = sums[chosen].sum(axis=1) / counts[chosen].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(sums.sum() / counts.sum()), float(low), float(high)
