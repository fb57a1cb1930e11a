"""COCOeval, as the measures of this package run it."""

import contextlib
import copy
import io
from pathlib import Path

import numpy as np
from xtcocotools.coco import COCO
from xtcocotools.cocoeval import COCOeval


def run_coco_eval(
    ground_truth: COCO,
    results: str | Path | list,
    sigmas: np.ndarray | None = None,
    use_area: bool = True,
    iou_type: str = 'keypoints',
    thresholds: np.ndarray | None = None,
) -> COCOeval:
    """Match predicted poses to annotated people of any size, image by image.

    Args:
        ground_truth (COCO): The annotations; all have keypoints.
        results (str | Path | list[dict]): COCO keypoint results, or the file that
            ``CocoMetric`` writes them to.
        sigmas (np.ndarray, optional): OKS sigmas, (K,). Defaults to COCO's.
        use_area (bool): Whether the annotations have a field ``area``; as in
            ``CocoMetric``. Defaults to True.
        iou_type (str): As in ``CocoMetric``. Defaults to ``'keypoints'``.
        thresholds (np.ndarray, optional): Of OKS, (T,). Defaults to COCO's ten.

    Returns:
        COCOeval: After ``evaluate``.
    """
    # loadRes adds to what it is given
    results = copy.deepcopy(results) if isinstance(results, list) else str(results)
    with contextlib.redirect_stdout(io.StringIO()):
        predicted = ground_truth.loadRes(results)
        coco_eval = COCOeval(ground_truth, predicted, iou_type, sigmas, use_area)
        coco_eval.params.areaRng = coco_eval.params.areaRng[:1]
        if thresholds is not None:
            coco_eval.params.iouThrs = thresholds
        coco_eval.evaluate()
    return coco_eval
