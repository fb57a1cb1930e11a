"""People get the detections that are theirs, and poor ones are nobody's."""

import json

import numpy as np
import pytest
from mmdet.registry import TASK_UTILS

from ogn_mm.datasets import MixedBoxCocoDataset, ValidatedCocoDataset
from ogn_mm.structures.bbox import box_iou


@TASK_UTILS.register_module()
class KeepEverySecond:
    def __call__(self, boxes, scores, batch_inds):
        return batch_inds.new_tensor(range(0, len(boxes), 2))


@pytest.fixture(scope='module')
def annotations(generated_people):
    return json.loads((generated_people / 'annotations/train.json').read_text())


@pytest.fixture
def load(generated_people, tmp_path):
    """Loads the generated people with detections, [image id, x, y, width, height]."""

    def load(found, cls=MixedBoxCocoDataset, content=None, **kwargs):
        path = tmp_path / 'found.json'
        rows = [
            dict(image_id=image_id, category_id=1, bbox=bbox, score=0.5)
            for image_id, *bbox in found
        ]
        path.write_text(json.dumps(rows))
        ann_file = generated_people / 'annotations/train.json'
        if content:
            ann_file = tmp_path / 'people.json'
            ann_file.write_text(json.dumps(content))
        return cls(
            ann_file=str(ann_file),
            data_prefix=dict(img=str(generated_people / 'images/train')),
            detection_file=str(path),
            **kwargs,
        )

    return load


def infos(dataset):
    return [dataset.get_data_info(i) for i in range(len(dataset))]


def near(people, seed=0, count=3, spread=0.08):
    """Detections around people, and some anywhere."""
    rng = np.random.default_rng(seed)
    found = []
    for person in people:
        for _ in range(rng.integers(0, count + 1)):
            left, top, width, height = person['bbox']
            dx, dy, dw, dh = rng.normal(0, spread, 4)
            box = left + dx * width, top + dy * height
            size = width * np.exp(dw), height * np.exp(dh)
            found.append([person['image_id'], *box, *size])
        found.append([person['image_id'], *rng.uniform(0, 40, 2), 30, 30])
    return found


def test_each_detection_is_its_best_persons(annotations, load):
    people = annotations['annotations']
    found = near(people)
    dataset = load(found, iou_thr=0.6)
    plain = ValidatedCocoDataset(
        ann_file=dataset.ann_file, data_prefix=dataset.data_prefix
    )
    boxes = {info['id']: info for info in infos(plain)}
    given = {info['id']: info['detected_bboxes'].tolist() for info in infos(dataset)}
    assert given.keys() == boxes.keys()
    expected = {id: [] for id in given}
    for image_id, x, y, w, h in found:
        box = np.float32([x, y, w, h])
        box[2:] += box[:2]
        iou = {
            id: box_iou(box, info['bbox'])[0]
            for id, info in boxes.items()
            if info['img_id'] == image_id
        }
        best = max(iou, key=iou.get)
        if iou[best] >= 0.6:
            expected[best].append(box.tolist())
    assert given == expected
    counts = [len(boxes) for boxes in given.values()]
    assert min(counts) == 0 < max(counts)
    # all else is as without detections
    for a, b in zip(infos(dataset), infos(plain), strict=True):
        assert a.pop('detected_bboxes').dtype == np.float32
        np.testing.assert_equal(a, b)


def test_log_counts_people_and_boxes(annotations, load, monkeypatch):
    lines = []
    monkeypatch.setattr(
        'ogn_mm.datasets.mixed_box_dataset.print_log',
        lambda line, **_: lines.append(line),
    )
    first = annotations['annotations'][0]
    image_id, (x, y, w, h) = first['image_id'], first['bbox']
    lower, speck = [image_id, x, y, w, 0.75 * h], [image_id, 0, 0, 2, 2]
    person = load([[image_id, x, y, w, h], lower, speck]).get_data_info(0)
    (line,) = lines
    count = len(annotations['annotations'])
    expected = f'found.json: 1 of {count} people have detections at IoU >= 0.5, 2.00 ea'
    assert expected in line
    iou = box_iou(person['detected_bboxes'], person['bbox'])
    assert float(line.split()[-1]) == pytest.approx(iou.mean(), abs=5e-4)


def test_unlabelled_people_take_theirs_and_crowds_do_not(annotations, load):
    content = json.loads(json.dumps(annotations))
    twin = dict(content['annotations'][0], id=10**6, num_keypoints=0)
    x, y, w, h = twin['bbox']
    twin['bbox'] = [x, y, w, 0.8 * h]
    content['annotations'].append(twin)
    found = [[twin['image_id'], x, y, w, 0.8 * h]]
    with pytest.raises(ValueError, match='no detection has IoU >= 0.5 with anyone'):
        load(found, content=content)
    twin['iscrowd'] = 1
    assert len(load(found, content=content)[0]['detected_bboxes']) == 1


def test_detections_are_filtered(annotations, load):
    found = near(annotations['annotations'], spread=0.01)
    half = dict(type='mmdet.KeepEverySecond')
    dataset = load(found, detection_filter=half)
    assert dataset.skipped['detections dropped by mmdet.KeepEverySecond'] == (
        len(found) // 2
    )
    expected = load(found[::2])
    for a, b in zip(infos(dataset), infos(expected), strict=True):
        np.testing.assert_equal(a, b)


def test_errors(annotations, load):
    found = near(annotations['annotations'])
    with pytest.raises(ValueError, match=r"found\.json: .*'image_id' is not in"):
        load([[10**7, 1, 1, 5, 5]])
    with pytest.raises(ValueError, match=r'found\.json: no detection has IoU >= 0.5'):
        load([[found[0][0], 0, 0, 1, 1]])
    for iou_thr in (0, 1.1, float('nan')):
        with pytest.raises(ValueError, match=r'iou_thr must be in \(0, 1\]'):
            load(found, iou_thr=iou_thr)
    for kwargs in (dict(test_mode=True), dict(data_mode='bottomup')):
        with pytest.raises(ValueError, match='for training in top-down mode only'):
            load(found, **kwargs)
    crowds = json.loads(json.dumps(annotations))
    for person in crowds['annotations']:
        person['iscrowd'] = 1
    with pytest.raises(ValueError, match='no usable person'):
        load(found, content=crowds)
