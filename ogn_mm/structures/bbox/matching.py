"""Detections matched to people by IoU (section 3.1.3)."""

import numpy as np


def box_iou(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes and others, broadcast against each other.

    Args:
        boxes (np.ndarray): x1, y1, x2, y2, (..., 4).
        others (np.ndarray): The same. ``box_iou(a[:, None], b)`` compares every pair.

    Returns:
        np.ndarray: In [0, 1], (...). 0 where both have no area.
    """
    width, height = (
        np.minimum(boxes[..., i + 2], others[..., i + 2])
        - np.maximum(boxes[..., i], others[..., i])
        for i in (0, 1)
    )
    inner = width.clip(0) * height.clip(0)
    area, other_area = (
        (b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1]) for b in (boxes, others)
    )
    union = area + other_area - inner
    return inner / np.maximum(union, 1e-16)


def assign_detections(
    people: np.ndarray,
    people_images: np.ndarray,
    detections: np.ndarray,
    detection_images: np.ndarray,
    iou_thr: float,
) -> np.ndarray:
    """Give each detection to the person of its image with whom it has most IoU.

    A person may own any number of detections; of two people with equal IoU the first
    owns it. Memory is that of one image's pairs.

    Args:
        people (np.ndarray): Annotated boxes x1, y1, x2, y2, pixels, (N, 4).
        people_images (np.ndarray): Their images' numbers, int, (N,).
        detections (np.ndarray): (M, 4).
        detection_images (np.ndarray): int, (M,).
        iou_thr (float): Lowest IoU that counts, > 0.

    Returns:
        np.ndarray: Each detection's person in [0, N), or -1, int, (M,).
    """
    owners = np.full(len(detections), -1)
    people_order = np.argsort(people_images, kind='stable')
    detection_order = np.argsort(detection_images, kind='stable')
    images = np.unique(people_images)
    bounds = [
        np.searchsorted(in_order, images, side).tolist()
        for in_order in (people_images[people_order], detection_images[detection_order])
        for side in ('left', 'right')
    ]
    for first, last, first_found, last_found in zip(*bounds, strict=True):
        group = people_order[first:last]
        found = detection_order[first_found:last_found]
        if not len(found):
            continue
        iou = box_iou(detections[found, None], people[group])
        best = iou.argmax(1)
        good = iou[np.arange(len(found)), best] >= iou_thr
        owners[found[good]] = group[best[good]]
    return owners
