"""What was found of every annotated person, keypoint by keypoint."""

import contextlib
import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from xtcocotools.coco import COCO
from xtcocotools.cocoeval import COCOeval

from .coco_eval import run_coco_eval

# From here on a pose is taken to be meant for a person (Ronchi and Perona,
# Benchmarking and Error Diagnosis in Multi-Instance Pose Estimation, ICCV 2017).
MIN_OKS = 0.1
OKS_THRESHOLDS = np.linspace(0.5, 0.95, 10)  # those of COCO's AP


class PersonMatches(NamedTuple):
    """G annotated people of K keypoints, with the poses that were found for them.

    Attributes:
        image_ids (np.ndarray): (G,).
        ann_ids (np.ndarray): Of the annotations, (G,).
        truth (np.ndarray): x, y in pixels of the image and visibility, (G, K, 3).
        boxes (np.ndarray): Annotated boxes, x, y, width, height, (G, 4).
        areas (np.ndarray): By which OKS measures, in square pixels, (G,).
        found (np.ndarray): Whether a pose was matched, bool, (G,).
        poses (np.ndarray): x, y and score of its keypoints; where none was matched,
            those of the pose with the highest OKS, NaN if the image has none,
            (G, K, 3).
        oks (np.ndarray): OKS of ``poses``, 0 where there is none, (G,).
    """

    image_ids: np.ndarray
    ann_ids: np.ndarray
    truth: np.ndarray
    boxes: np.ndarray
    areas: np.ndarray
    found: np.ndarray
    poses: np.ndarray
    oks: np.ndarray


def match_people(
    ground_truth: COCO,
    results: str | Path | list,
    sigmas: np.ndarray | None = None,
    use_area: bool = True,
    iou_type: str = 'keypoints',
) -> tuple[PersonMatches, np.ndarray]:
    """Find the pose of every annotated person as COCOeval does, from an OKS of 0.1 on.

    Each pose, by falling score, takes the person with the highest OKS of those left.
    Crowds and people without labelled keypoints do not count.

    Args:
        ground_truth, results, sigmas, use_area, iou_type: As for
            :func:`run_coco_eval`.

    Returns:
        tuple: The people, by rising category and image id, and COCO's precision in
        [0, 1] at each of the 10 OKS thresholds and 101 recalls, the mean over
        categories, (10, 101), whose mean is AP.

    Raises:
        ValueError: Nobody counts, so that nothing could be measured.
    """
    thresholds = np.array([MIN_OKS, *OKS_THRESHOLDS])
    coco_eval = run_coco_eval(
        ground_truth, results, sigmas, use_area, iou_type, thresholds
    )
    with contextlib.redirect_stdout(io.StringIO()):
        coco_eval.accumulate()
    rows = [
        row
        for image in filter(None, coco_eval.evalImgs)
        for row in _people_of_image(coco_eval, image)
    ]
    if not rows:
        raise ValueError('nobody with labelled keypoints is annotated')
    people = PersonMatches(*map(np.array, zip(*rows, strict=True)))
    precision = coco_eval.eval['precision'][1:, :, :, 0, 0]
    annotated = precision[0, 0] >= 0  # it is -1 for categories of nobody
    return people, precision[..., annotated].mean(axis=-1)


def _people_of_image(coco_eval: COCOeval, image: dict):
    """The fields of :class:`PersonMatches` for each person who counts in an image."""
    truth, predicted = coco_eval.cocoGt, coco_eval.cocoDt
    place = image['image_id'], image['category_id']
    oks = np.array(coco_eval.ious[place])  # rows by falling score
    columns = truth.getAnnIds(imgIds=place[0], catIds=place[1])
    for ann_id, ignored, match in zip(
        image['gtIds'], image['gtIgnore'], image['gtMatches'][0], strict=True
    ):
        if ignored:
            continue
        person, found = truth.anns[ann_id], match >= 0
        width, height = person['bbox'][2:]
        keypoints = np.reshape(person['keypoints'], (-1, 3)).astype(float)
        pose, similarity = np.full_like(keypoints, np.nan), 0.0
        if len(oks):
            of_person = oks[:, columns.index(ann_id)]
            row = image['dtIds'].index(match) if found else of_person.argmax()
            pose = predicted.anns[image['dtIds'][row]]['keypoints']
            pose, similarity = np.reshape(pose, (-1, 3)), of_person[row]
        yield (
            place[0],
            ann_id,
            keypoints,
            person['bbox'],
            # as COCOeval does where areas are not to be used
            person['area'] if coco_eval.use_area else 0.53 * width * height,
            found,
            pose,
            similarity,
        )


def keypoint_distances(people: PersonMatches) -> np.ndarray:
    """How far the found keypoints are from the annotated ones.

    Args:
        people (PersonMatches): G people of K keypoints.

    Returns:
        np.ndarray: In pixels of the image, (G, K); infinite for people who were not
        found, NaN where nothing is labelled.
    """
    distances = np.linalg.norm(people.poses[..., :2] - people.truth[..., :2], axis=2)
    distances[~people.found] = np.inf
    return np.where(people.truth[..., 2] > 0, distances, np.nan)


def keypoint_errors(people: PersonMatches, sigmas: np.ndarray) -> np.ndarray:
    """Distances in the units of OKS, the mean over the labelled of exp(-error^2 / 2).

    Args:
        people (PersonMatches): G people of K keypoints.
        sigmas (np.ndarray): OKS sigmas, (K,).

    Returns:
        np.ndarray: Distance over twice sigma times the root of the person's area,
        (G, K); infinite and NaN as in :func:`keypoint_distances`.
    """
    # as in COCOeval, an area may be 0
    scales = 2 * sigmas * np.sqrt(people.areas + np.spacing(1))[:, None]
    return keypoint_distances(people) / scales


def pck_errors(people: PersonMatches) -> np.ndarray:
    """Distances as shares of the longer side of the annotated box.

    PCK at a threshold is the share of those that do not exceed it, as in MMPose's
    ``PCKAccuracy`` of boxes; here, those of people who were not found count as missed.

    Args:
        people (PersonMatches): G people of K keypoints.

    Returns:
        np.ndarray: (G, K); infinite and NaN as in :func:`keypoint_distances`.
    """
    return keypoint_distances(people) / people.boxes[:, 2:].max(axis=1)[:, None]


def share_below(values: np.ndarray, threshold: float) -> np.ndarray:
    """Share of the values that do not exceed a threshold, over the first axis.

    Args:
        values (np.ndarray): (N, ...); NaN does not count.
        threshold (float): The threshold.

    Returns:
        np.ndarray: In [0, 1], (...); NaN where nothing counts.
    """
    with np.errstate(invalid='ignore'):  # where nothing counts
        return (values <= threshold).sum(axis=0) / (~np.isnan(values)).sum(axis=0)
