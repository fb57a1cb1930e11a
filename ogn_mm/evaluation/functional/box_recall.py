"""How many people a limited number of boxes an image finds."""

from collections.abc import Sequence

import numpy as np

from ogn_mm.structures.bbox import box_iou

# Images whose overlaps are held at a time.
CHUNK = 128


def recall_curve(
    people: Sequence[np.ndarray],
    boxes: Sequence[np.ndarray],
    iou_thrs: Sequence[float],
    max_boxes: int,
) -> np.ndarray:
    """Recall with the first 1 to ``max_boxes`` boxes of each image.

    People are matched as COCO does: each box in turn takes the person with whom it has
    the highest IoU among those not taken yet, if it reaches the threshold. A box finds
    one person at most, so that two people in one box do not count as found.

    Args:
        people (Sequence[np.ndarray]): Boxes (G, 4) of each image's people, x1, y1, x2,
            y2 in pixels. Crowds and ignored people have to be left out.
        boxes (Sequence[np.ndarray]): Boxes (N, 4) of each image, the best first.
        iou_thrs (Sequence[float]): T thresholds in (0, 1].
        max_boxes (int): M, at least 1.

    Returns:
        np.ndarray: Recall in [0, 1], (T, M); NaN if there is nobody.
    """
    thresholds = np.asarray(iou_thrs, float)[:, None]
    found = np.zeros((len(iou_thrs), max_boxes))
    for start in range(0, len(people), CHUNK):
        chunk = slice(start, start + CHUNK)
        found += count_found(
            pad(people[chunk]),
            pad([image[:max_boxes] for image in boxes[chunk]], max_boxes),
            thresholds,
        )
    with np.errstate(invalid='ignore'):
        return found.cumsum(axis=1) / sum(map(len, people))


def pad(groups: Sequence[np.ndarray], length: int = 0) -> np.ndarray:
    """Stack groups (N, 4) of boxes as (I, N', 4); boxes without area fill them up."""
    length = max([length, *map(len, groups)])
    stacked = np.zeros((len(groups), length, 4))
    for row, group in zip(stacked, groups, strict=True):
        row[: len(group)] = group
    return stacked


def count_found(
    people: np.ndarray, boxes: np.ndarray, thresholds: np.ndarray
) -> np.ndarray:
    """People that the boxes of each rank find first.

    Args:
        people (np.ndarray): (I, G, 4).
        boxes (np.ndarray): (I, M, 4).
        thresholds (np.ndarray): (T, 1).

    Returns:
        np.ndarray: (T, M).
    """
    num_images, num_people = people.shape[:2]
    found = np.zeros((len(thresholds), boxes.shape[1]))
    if not num_people:
        return found
    free = np.ones((len(thresholds), num_images, num_people), bool)
    for rank in range(boxes.shape[1]):
        overlaps = np.where(free, box_iou(people, boxes[:, rank, None]), -1)
        # of equals the last, as in COCO
        best = num_people - 1 - overlaps[..., ::-1].argmax(axis=-1)
        highest = np.take_along_axis(overlaps, best[..., None], axis=-1)[..., 0]
        hit = highest >= thresholds
        found[:, rank] = hit.sum(axis=1)
        row, image = hit.nonzero()
        free[row, image, best[row, image]] = False
    return found
