"""What a run leaves for the table and the plot, small enough to be kept for good."""

import contextlib
import io
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS
from xtcocotools.coco import COCO

from ogn_mm.datasets.categories import leave_out_boxes
from ogn_mm.engine.json_files import check_object, read_object
from ogn_mm.engine.json_lines import read_json_lines
from ogn_mm.evaluation import find_coco_metric
from ogn_mm.evaluation.functional import (
    OKS_THRESHOLDS,
    PoseMatches,
    average_precision,
    match_poses,
)

# Scale and labels of the curves; the first that was logged is drawn.
CURVES = {
    'coco/AP': (100, ('epoch', 'AP on the validation data, %')),
    'acc_pose': (100, ('iteration', 'keypoints found in training, %')),
    'loss': (1, ('iteration', 'training loss')),
}


def match_predictions(cfg: Config, predictions: Path, ap: float) -> PoseMatches:
    """Match the predictions of a run to the annotations that it was tested on.

    Raises:
        ValueError: They do not give the AP of the test.
    """
    init_default_scope(cfg.get('default_scope', 'mmpose'))
    dataset = DATASETS.build(dict(cfg.test_dataloader.dataset, lazy_init=True))
    metric = find_coco_metric(cfg)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(metric.get('ann_file') or dataset.ann_file)
    leave_out_boxes(truth)
    matches = match_poses(
        truth,
        predictions,
        dataset.metainfo['sigmas'],
        metric.get('use_area', True),
        metric.get('iou_type', 'keypoints'),
    )
    found = average_precision(matches).mean()
    if not np.isclose(found, ap, atol=1e-6):
        raise ValueError(
            f'{predictions}: gives AP {found:.4f}, the test gave {ap:.4f}; the '
            'annotations have changed since, or have people of several categories'
        )
    return matches


def pack_matches(matches: PoseMatches) -> dict:
    """Matches as JSON can hold them; a string of digits for each OKS threshold."""
    return {
        name: [''.join(row) for row in array.astype(int).astype(str)]
        if array.ndim == 2
        else array.tolist()
        for name, array in matches._asdict().items()
    }


def unpack_matches(packed: dict) -> PoseMatches:
    """The inverse of :func:`pack_matches`.

    Raises:
        ValueError: They do not fit each other.
    """
    matches = PoseMatches(
        **{
            name: np.array([[digit == '1' for digit in row] for row in packed[name]])
            if name in ('hits', 'misses')
            else np.array(packed[name], int)
            for name in PoseMatches._fields
        }
    )
    images, people = matches.images, matches.people
    shape = len(OKS_THRESHOLDS), len(images)
    if (
        not images.ndim == people.ndim == 1
        or not matches.hits.shape == matches.misses.shape == shape
        or not ((images >= 0) & (images < len(people))).all()
        or (people < 0).any()
    ):
        raise ValueError('these are no matches')
    return matches


def read_result(path: Path) -> dict:
    """What a run that is finished left.

    Raises:
        ValueError: It is damaged; the sentence names file and field.
    """
    result = read_object(
        path, row=str, metrics=dict, started=str, finished=str, curves=dict
    )
    check_object(result['metrics'], str(path), **{'coco/AP': int | float})
    if not -1 <= result['metrics']['coco/AP'] <= 1:
        raise ValueError(f"{path}: field 'coco/AP' is no average precision")
    fields = dict.fromkeys(PoseMatches._fields, list)
    check_object(result.get('matches'), f'{path}: matches', **fields)
    try:
        unpack_matches(result['matches'])
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{path}: field 'matches' is damaged") from error
    return result


def read_curves(folder: Path) -> dict[str, list[tuple]]:
    """What MMEngine logged in a run and its resumptions: (step, value) by name."""
    curves = {}
    for path in sorted(folder.glob('*/vis_data/scalars.json')):
        for entry in read_json_lines(path, dict):
            for key in entry.keys() & CURVES.keys():
                check_object(entry, str(path), step=int, **{key: int | float})
                # what was repeated after a resumption counts
                curves.setdefault(key, {})[entry['step']] = round(entry[key], 6)
    return {key: sorted(curve.items()) for key, curve in curves.items()}
