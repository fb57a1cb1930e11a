"""The AP of boxes does not depend on where an annotation file begins to count."""

import copy
import json

import numpy as np
import pytest
import torch
from mmdet.evaluation import CocoMetric
from mmdet.registry import METRICS
from mmengine.registry import init_default_scope

import ogn_mm  # noqa: F401

NAMED = ('CocoMetric', 'mmdet.CocoMetric')


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmdet')


@pytest.fixture
def truth():
    """Three images of one to three people, ids from 1 on."""
    rng = np.random.default_rng(0)
    images = [dict(id=i, width=200, height=200, file_name=f'{i}.png') for i in range(3)]
    people = []
    for image in images:
        for _ in range(image['id'] + 1):
            x, y, width, height = rng.uniform(40, 90, 4).round(1).tolist()
            people.append(
                dict(
                    id=len(people) + 1,
                    image_id=image['id'],
                    category_id=1,
                    bbox=[x, y, width, height],
                    area=width * height,
                    iscrowd=0,
                )
            )
    category = dict(id=1, name='person')
    return dict(images=images, annotations=people, categories=[category])


def evaluate(truth, folder, shift=0.0, type='CocoMetric'):
    """All figures of boxes that are the annotated ones, moved to the right."""
    path = folder / 'truth.json'
    path.write_text(json.dumps(truth))
    metric = METRICS.build(dict(type=type, ann_file=str(path)))
    metric.dataset_meta = dict(classes=('person',))
    for image in truth['images']:
        boxes = [
            p['bbox'] for p in truth['annotations'] if p['image_id'] == image['id']
        ]
        boxes = torch.tensor(boxes, dtype=torch.float32)
        boxes[:, 2:] += boxes[:, :2]
        boxes[:, ::2] += shift
        found = dict(
            bboxes=boxes,
            scores=torch.linspace(0.9, 0.5, len(boxes)),
            labels=torch.zeros(len(boxes), dtype=torch.long),
        )
        sample = dict(img_id=image['id'], ori_shape=(200, 200), pred_instances=found)
        metric.process({}, [sample])
    return metric.evaluate(len(truth['images']))


@pytest.mark.parametrize('shift', [0.0, 9.0])
@pytest.mark.parametrize('first', [0, -2, 5])
def test_first_id(truth, tmp_path, shift, first):
    expected = evaluate(truth, tmp_path, shift)
    low, high = (0.99, 1) if not shift else (0.1, 0.9)
    assert low < expected['coco/bbox_mAP'] <= high
    others = copy.deepcopy(truth)
    for i, person in enumerate(others['annotations']):
        person['id'] = first + i
    assert evaluate(others, tmp_path, shift) == expected


@pytest.mark.parametrize('name', NAMED)
def test_one_person(truth, tmp_path, name):
    truth['images'] = truth['images'][:1]
    truth['annotations'] = [dict(truth['annotations'][0], id=0)]
    assert evaluate(truth, tmp_path, type=name)['coco/bbox_mAP'] == pytest.approx(1)
    # that of MMDetection, which pycocotools misleads
    METRICS.register_module(name='Upstream', module=CocoMetric, force=True)
    assert evaluate(truth, tmp_path, type='Upstream')['coco/bbox_mAP'] == 0


def test_it_is_mmdetections_metric():
    for name in NAMED:
        assert issubclass(METRICS.get(name), CocoMetric)
        assert METRICS.get(name).__module__.startswith('ogn_mm.')
