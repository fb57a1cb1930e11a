"""Recall against COCOeval's, and against cases counted by hand."""

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from ogn_mm.evaluation.functional import recall_curve
from ogn_mm.evaluation.functional.box_recall import CHUNK

A, B, FAR = [0, 0, 10, 10], [0, 0, 10, 8], [50, 50, 60, 60]


def boxes(*rows):
    return np.array(rows, float).reshape(-1, 4)


def test_counted_by_hand():
    """IoU of A and B is 0.8: one box finds one of them, two boxes find both."""
    people = [boxes(A, B), boxes(FAR)]
    found = [boxes(A, A, FAR), boxes()]
    recall = recall_curve(people, found, (0.5, 0.9), 4)
    assert recall == pytest.approx(np.array([[1, 2, 2, 2], [1, 1, 1, 1]]) / 3)


def test_a_box_takes_the_person_that_it_fits_best():
    people = [boxes(B, A)]
    assert recall_curve(people, [boxes(A, B)], (0.9,), 2).tolist() == [[0.5, 1]]
    assert recall_curve(people, [boxes(B, B)], (0.9,), 2).tolist() == [[0.5, 0.5]]


def test_nobody_and_no_boxes():
    assert np.isnan(recall_curve([boxes()], [boxes(A)], (0.5,), 3)).all()
    assert recall_curve([boxes(A)], [boxes()], (0.5,), 3).tolist() == [[0, 0, 0]]


def coco_recall(people, found, thresholds, limits):
    """The independent implementation: pycocotools, a run for each limit."""

    def records(groups):
        return [
            dict(
                id=1000 * i + j + 1,
                image_id=i,
                category_id=1,
                bbox=[x1, y1, x2 - x1, y2 - y1],
                area=(x2 - x1) * (y2 - y1),
                iscrowd=0,
                score=1 - j / 1000,
            )
            for i, group in enumerate(groups)
            for j, (x1, y1, x2, y2) in enumerate(group.tolist())
        ]

    images = [dict(id=i) for i in range(len(people))]
    truth, detections = COCO(), COCO()
    for coco, groups in ((truth, people), (detections, found)):
        coco.dataset = dict(
            images=images, annotations=records(groups), categories=[dict(id=1)]
        )
        coco.createIndex()
    evaluation = COCOeval(truth, detections, 'bbox')
    evaluation.params.iouThrs = np.array(thresholds)
    evaluation.params.maxDets = limits
    evaluation.params.areaRng = evaluation.params.areaRng[:1]
    evaluation.evaluate()
    evaluation.accumulate()
    return evaluation.eval['recall'][:, 0, 0]


@pytest.mark.parametrize('seed', range(5))
def test_equals_coco(seed, capsys):
    """Crowded random images, more of them than are handled at a time."""
    rng = np.random.default_rng(seed)

    def sample(most):
        low = rng.uniform(0, 15, (rng.integers(0, most), 2))
        return np.c_[low, low + rng.uniform(5, 30, low.shape)]

    people = [sample(8) for _ in range(CHUNK + 40)]
    found = [sample(20) for _ in people]
    thresholds, limits = (0.3, 0.5, 0.75), [1, 3, 7, 15]
    recall = recall_curve(people, found, thresholds, 15)
    expected = coco_recall(people, found, thresholds, limits)
    assert recall[:, np.array(limits) - 1] == pytest.approx(expected)
    assert 0.2 < recall[0, -1] < 1
