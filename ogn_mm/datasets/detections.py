"""Person detections from COCO result files, as arrays."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from mmpose.registry import TASK_UTILS

from ogn_mm.engine.json_files import read_json

from .checks import check_detections


class Detections(NamedTuple):
    """N detected people, in the order of their file.

    Attributes:
        numbers (np.ndarray): Place among the file's people, int, (N,).
        categories (np.ndarray): Ids of their categories, int, (N,).
        images (np.ndarray): Place of the image among the annotation file's, int, (N,).
        boxes (np.ndarray): x1, y1, x2, y2, pixels, float32, (N, 4).
        scores (np.ndarray): float32, (N,).
    """

    numbers: np.ndarray
    categories: np.ndarray
    images: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray

    def take(self, which: np.ndarray) -> 'Detections':
        """Those at the given places, or where a mask is true."""
        return Detections(*(column[which] for column in self))


def load_detections(
    path: str,
    image_ids: Sequence,
    categories: dict[int, str],
    box_filter: dict | None = None,
) -> tuple[Detections, Counter]:
    """Load, check and filter the people of a COCO detection result file.

    Args:
        path (str): A JSON list of ``image_id``, ``category_id``, ``bbox`` (x, y, width,
            height) and ``score``.
        image_ids (Sequence): The annotation file's image ids.
        categories (dict): The annotation file's categories with keypoints, as
            :func:`~ogn_mm.datasets.categories.keypoint_categories` gives them;
            detections of others are left out.
        box_filter (dict, optional): Config of an object in MMDetection's `TASK_UTILS`
            (``type='mmdet.GreedyBoxGeneration'``). It is called once with all boxes
            (N, 4), their scores (N,) and image numbers (N,), torch tensors, and
            returns the indices of those that stay. Defaults to None.

    Returns:
        tuple[Detections, Counter]: What stays, and what is left out by reason.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is unusable (see `checks.check_detections`).
    """
    content = read_json(path)
    skipped = check_detections(content, path, set(image_ids), categories)
    content = [found for found in content if found['category_id'] in categories]
    place = {image_id: i for i, image_id in enumerate(image_ids)}
    boxes = np.array([d['bbox'] for d in content], np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    detections = Detections(
        np.arange(len(content)),
        np.array([detection['category_id'] for detection in content], int),
        np.array([place[detection['image_id']] for detection in content], int),
        boxes,
        np.array([detection['score'] for detection in content], np.float32),
    )
    has_area = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    skipped['boxes without area'] = int((~has_area).sum())
    detections = detections.take(has_area)
    if box_filter:
        keep = TASK_UTILS.build(box_filter)(
            torch.from_numpy(detections.boxes),
            torch.from_numpy(detections.scores),
            torch.from_numpy(detections.images),
        )
        dropped = len(detections.boxes) - len(keep)
        skipped[f'detections dropped by {box_filter["type"]}'] = dropped
        detections = detections.take(np.sort(keep.numpy()))
    return detections, +skipped
