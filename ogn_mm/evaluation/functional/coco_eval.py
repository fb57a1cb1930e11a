"""COCOeval, as the measures of this package run it."""

import contextlib
import io
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from xtcocotools.coco import COCO
from xtcocotools.cocoeval import COCOeval

from ogn_mm.engine.json_files import read_json


def count_every_pose(results: list[dict]) -> list[dict]:
    """Results of which xtcocotools' COCOeval leaves out none.

    It leaves out poses none of whose keypoints has a third value above 0, as people
    without labels; but in results these values are scores, of whatever scale, which
    COCO's format does not use.

    Args:
        results (list[dict]): COCO keypoint results.

    Returns:
        list[dict]: Copies; those poses have the score 1 at each keypoint.
    """
    counted = []
    for result in map(dict, results):
        keypoints = result['keypoints']
        if max(keypoints[2::3], default=1) <= 0:
            x, y = keypoints[::3], keypoints[1::3]
            poses = zip(x, y, [1] * len(x), strict=True)
            result['keypoints'] = [value for point in poses for value in point]
        counted.append(result)
    return counted


@contextlib.contextmanager
def with_every_pose(prefix: str) -> Iterator[str]:
    """A prefix of files of results for MMPose's ``CocoMetric``, by which all count.

    Args:
        prefix (str): That of the file {prefix}.keypoints.json, which is not changed.

    Yields:
        str: The same prefix, or that of a copy by :func:`count_every_pose`.
    """
    results = read_json(f'{prefix}.keypoints.json')
    counted = count_every_pose(results)
    if counted == results:
        yield prefix
        return
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, 'counted.keypoints.json').write_text(json.dumps(counted))
        yield f'{folder}/counted'


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
    results = count_every_pose(
        results if isinstance(results, list) else read_json(str(results))
    )
    with contextlib.redirect_stdout(io.StringIO()):
        predicted = ground_truth.loadRes(results)
        coco_eval = COCOeval(ground_truth, predicted, iou_type, sigmas, use_area)
        coco_eval.params.areaRng = coco_eval.params.areaRng[:1]
        if thresholds is not None:
            coco_eval.params.iouThrs = thresholds
        coco_eval.evaluate()
    return coco_eval
