"""AP of results whose third values are no positive scores equals pycocotools'.

COCO's format does not use these values; xtcocotools takes a pose none of whose values
is positive for one that is not there.
"""

import contextlib
import copy
import io
import json

import numpy as np
import pycocotools.coco
import pycocotools.cocoeval
import pytest
import xtcocotools.coco
from mmengine.config import Config
from mmpose.datasets import CocoDataset
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from ogn_mm.evaluation import evaluate_predictions
from ogn_mm.evaluation.functional import average_precision, match_people, match_poses

METAINFO = parse_pose_metainfo(CocoDataset.METAINFO)


@pytest.fixture
def scene(tmp_path):
    """Annotation file and results, of which each finds one of 20 people badly."""
    rng = np.random.default_rng(0)
    images, people, results = [], [], []
    for i in range(10):
        images.append(dict(id=i, width=400, height=300, file_name=f'{i}.jpg'))
        for x in (20, 220):
            pose = np.c_[rng.uniform((x, 20), (x + 150, 280), (17, 2)), np.full(17, 2)]
            person = dict(image_id=i, category_id=1)
            labelled = dict(
                id=len(people),
                iscrowd=0,
                area=150 * 260,
                bbox=[x, 20, 150, 260],
                num_keypoints=17,
                keypoints=pose.ravel().tolist(),
            )
            people.append(person | labelled)
            pose[:, :2] += rng.normal(0, rng.uniform(5, 40), (17, 2))
            score = float(rng.uniform(-1, 1))
            results.append(person | dict(keypoints=pose.ravel().tolist(), score=score))
    path = tmp_path / 'truth.json'
    category = dict(id=1, name='person')
    content = dict(images=images, annotations=people, categories=[category])
    path.write_text(json.dumps(content))
    return str(path), results


def with_third_values(results, values):
    """A copy in which every second pose has these third values."""
    results = copy.deepcopy(results)
    for result in results[::2]:
        result['keypoints'][2::3] = values
    return results


def coco_stats(ann_file, results):
    """What pycocotools makes of the results."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = pycocotools.coco.COCO(ann_file)
        # its code takes 0 for no match
        for person in truth.dataset['annotations']:
            person['id'] += 1
        truth.createIndex()
        found = truth.loadRes(copy.deepcopy(results))
        coco_eval = pycocotools.cocoeval.COCOeval(truth, found, 'keypoints')
        coco_eval.evaluate()
        coco_eval.accumulate()
        coco_eval.summarize()
    return coco_eval.stats


@pytest.mark.parametrize('value', [0, -1.5, 1e-9], ids=str)
def test_figures_are_pycocotools(scene, tmp_path, value):
    ann_file, results = scene
    expected = coco_stats(ann_file, results)
    assert 0.1 < expected[0] < 0.9
    results = with_third_values(results, [value] * 17)
    before = copy.deepcopy(results)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = xtcocotools.coco.COCO(ann_file)
    people, precision = match_people(truth, results)
    assert precision.mean() == pytest.approx(expected[0])
    # the network's own numbers stay; who has id 0 counts as well
    assert results == before
    assert sorted(people.ann_ids.tolist()) == list(range(20))
    matches = match_poses(truth, results)
    assert average_precision(matches).mean() == pytest.approx(expected[0])

    file = tmp_path / 'poses.json'
    file.write_text(json.dumps(results))
    for kind in ('CocoMetric', 'PoseNMSCocoMetric'):
        cfg = Config(dict(test_evaluator=dict(type=kind)))
        arguments = cfg, ann_file, METAINFO, file, str(tmp_path)
        _, figures, kept = evaluate_predictions(*arguments)
        assert list(figures.values()) == pytest.approx(expected.tolist())
        assert json.loads(kept.read_text()) == json.loads(file.read_text()) == before


@pytest.mark.parametrize('box', [None, [1, 2, 3], 'none'], ids=str)
def test_boxes_of_some_results(scene, tmp_path, box):
    """COCO's loader takes the sizes of all from their boxes, if the first has one."""
    ann_file, results = scene
    results[0]['bbox'] = [20, 20, 150, 260]
    for i, result in enumerate(results[1:], 1):
        result['bbox'] = box if i == 4 else [20, 20, 150, 260]
    file = tmp_path / 'poses.json'
    cfg = Config(dict(test_evaluator=dict(type='PoseNMSCocoMetric')))
    file.write_text(json.dumps(results))
    with pytest.raises(ValueError, match=r"poses.json: prediction number 4: 'bbox'"):
        evaluate_predictions(cfg, ann_file, METAINFO, file, str(tmp_path))
    # if the first has none, nobody's is looked at
    results[0]['bbox'] = []
    file.write_text(json.dumps(results))
    _, figures, _ = evaluate_predictions(cfg, ann_file, METAINFO, file, str(tmp_path))
    assert figures['coco/AP'] > 0.1
