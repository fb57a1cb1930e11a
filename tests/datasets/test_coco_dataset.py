"""Bad input gives one clear error or a counted skip, and evaluation loses nothing."""

import copy
import json
import pickle
import re

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import TASK_UTILS
from mmpose.datasets import CocoDataset
from mmpose.evaluation.metrics import CocoMetric
from mmpose.registry import DATASETS

import ogn_mm  # noqa: F401
from ogn_mm.datasets import ValidatedCocoDataset

WIDTH, HEIGHT = 64, 48


def person(id, image_id, **fields):
    rng = np.random.default_rng(id)
    keypoints = np.full((17, 3), 2)
    keypoints[:, 0] = rng.integers(12, 30, 17)
    keypoints[:, 1] = rng.integers(12, 40, 17)
    return (
        dict(
            id=id,
            image_id=image_id,
            category_id=1,
            bbox=[10, 10, 22, 32],
            area=500,
            iscrowd=0,
            num_keypoints=17,
            keypoints=keypoints.ravel().tolist(),
        )
        | fields
    )


@pytest.fixture
def coco():
    return dict(
        images=[
            dict(id=i, file_name=f'{i}.png', width=WIDTH, height=HEIGHT)
            for i in (1, 2, 3)
        ],
        annotations=[person(id, image_id) for id, image_id in ((7, 1), (8, 2), (9, 3))],
        categories=[dict(id=1, name='person')],
    )


@pytest.fixture
def load(tmp_path):
    """Writes annotations (a dict, or text) and three images; loads the data set."""

    def load(content, cls=ValidatedCocoDataset, detections=None, **kwargs):
        (tmp_path / 'images').mkdir(exist_ok=True)
        for i in (1, 2, 3):
            image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
            cv2.imwrite(str(tmp_path / 'images' / f'{i}.png'), image)
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / 'people.json').write_text(text)
        if detections is not None:
            (tmp_path / 'found.json').write_text(json.dumps(detections))
            kwargs |= dict(bbox_file=str(tmp_path / 'found.json'), test_mode=True)
        kwargs = dict(data_prefix=dict(img='images/')) | kwargs
        return cls(ann_file='people.json', data_root=str(tmp_path), **kwargs)

    return load


def test_good_files_load_as_upstream_does(coco, load):
    for kwargs in (dict(), dict(test_mode=True), dict(data_mode='bottomup')):
        ours, theirs = load(coco, **kwargs), load(coco, CocoDataset, **kwargs)
        assert ours.skipped == ours.noted == {}
        assert len(ours) == len(theirs) == 3
        for a, b in zip(ours, theirs, strict=True):
            assert a.keys() - {'img_shape'} == b.keys()
            np.testing.assert_equal(a['keypoints'], b['keypoints'])
            np.testing.assert_equal(a['bbox'], b['bbox'])
    assert DATASETS.get('ValidatedCocoDataset') is ValidatedCocoDataset


def test_counts_survive_pickling_and_lazy_loading(coco, load):
    coco['annotations'][0]['iscrowd'] = 1
    dataset = load(coco, lazy_init=True)
    assert dataset.skipped == {}
    dataset.full_init()
    copied = pickle.loads(pickle.dumps(dataset))
    assert copied.skipped == {'crowds': 1}
    assert len(copied) == 2
    assert copied[1]['id'] == 9


@pytest.mark.parametrize(
    'fields, reason',
    [
        (dict(bbox=[10, 10, 0, 30]), 'boxes without area in the image'),
        (dict(bbox=[10, 10, -5, 30]), 'boxes without area in the image'),
        (dict(bbox=[WIDTH + 9, 10, 5, 30]), 'boxes without area in the image'),
        (dict(iscrowd=1), 'crowds'),
        (dict(num_keypoints=0), 'people without labelled keypoints'),
        (
            dict(keypoints=[-1, -1, 2] * 17),
            'people whose keypoints are all at or before the origin',
        ),
    ],
)
@pytest.mark.parametrize('test_mode', [False, True])
def test_skips_are_counted(coco, load, capfd, fields, reason, test_mode):
    coco['annotations'][1] |= fields
    dataset = load(coco, test_mode=test_mode)
    assert dataset.skipped == {reason: 1}
    assert [info['id'] for info in dataset] == [7, 9]
    # and upstream would have left out the same, without a word
    assert len(load(coco, CocoDataset)) == 2


@pytest.mark.parametrize('field', ['bbox', 'keypoints'])
def test_training_counts_people_without_box_or_keypoints(coco, load, field):
    del coco['annotations'][1][field]
    assert load(coco).skipped == {'people without box or keypoints': 1}
    with pytest.raises(ValueError, match=rf'people\.json.*id 8.*{field}.*missing'):
        load(coco, test_mode=True)


def test_nobody_left_is_an_error_that_says_why(coco, load):
    for annotation in coco['annotations']:
        annotation['iscrowd'] = 1
    with pytest.raises(ValueError, match=r'no usable person.*people\.json.*3 crowds'):
        load(coco)


def test_keypoints_outside_the_image_are_kept_and_counted(coco, load):
    keypoints = coco['annotations'][0]['keypoints']
    keypoints[0] = -20.0
    keypoints[4] = HEIGHT + 0.5
    keypoints[6:9] = [WIDTH + 1, 3, 0]  # not labelled: not counted
    keypoints[9:11] = [-0.5, HEIGHT - 0.5]  # on the outermost pixels' edges
    dataset = load(coco)
    assert dataset.noted == {'keypoints outside their image': 2}
    assert dataset[0]['keypoints'][0, 0, 0] == -20


def set_in(*path):
    """A change of a value deep in the annotations: the keys, then the new value."""
    *keys, last, value = path

    def change(coco):
        for key in keys:
            coco = coco[key]
        coco[last] = value

    return change


def drop(*path):
    def change(coco):
        for key in path[:-1]:
            coco = coco[key]
        del coco[path[-1]]

    return change


ERRORS = {
    'no images': (drop('images'), "field 'images'.*nothing"),
    'empty images': (set_in('images', []), "field 'images'.*non-empty"),
    'no annotations': (drop('annotations'), "field 'annotations'.*nothing"),
    'empty annotations': (set_in('annotations', []), "field 'annotations'.*non-empty"),
    'no categories': (drop('categories'), "field 'categories'.*nothing"),
    'no image id': (drop('images', 1, 'id'), "image number 1: field 'id'"),
    'image id text': (
        set_in('images', 1, 'id', 'a'),
        "image id 'a': 'id' should be int",
    ),
    'no file name': (drop('images', 1, 'file_name'), "image id 2: field 'file_name'"),
    'null file name': (
        set_in('images', 1, 'file_name', None),
        "image id 2: 'file_name' should be str, found None",
    ),
    'no width': (drop('images', 1, 'width'), "image id 2: field 'width'"),
    'no height': (
        set_in('images', 1, 'height', 0),
        "image id 2: 'height' is not positive",
    ),
    'image id twice': (set_in('images', 1, 'id', 1), "image id 1: 'id' is not unique"),
    'annotation id twice': (
        set_in('annotations', 1, 'id', 7),
        "annotation id 7: 'id' is not unique",
    ),
    'unknown image': (
        set_in('annotations', 1, 'image_id', 99),
        "annotation id 8: 'image_id' is unknown",
    ),
    'unknown category': (
        set_in('annotations', 1, 'category_id', 5),
        "annotation id 8: 'category_id' is unknown",
    ),
    'null annotation': (set_in('annotations', 1, None), 'annotation number 1'),
    'no image reference': (
        drop('annotations', 1, 'image_id'),
        "annotation id 8: field 'image_id' is missing",
    ),
    'NaN box': (
        set_in('annotations', 1, 'bbox', 2, float('nan')),
        "annotation id 8: 'bbox' is not finite",
    ),
    'short box': (
        set_in('annotations', 1, 'bbox', [1, 2, 3]),
        "annotation id 8: 'bbox' should be 4 numbers, found 3",
    ),
    'text box': (
        set_in('annotations', 1, 'bbox', 0, 'left'),
        "annotation id 8: 'bbox' holds something that is not a number",
    ),
    'infinite keypoint': (
        set_in('annotations', 1, 'keypoints', 3, float('inf')),
        "annotation id 8: 'keypoints' is not finite",
    ),
    'a keypoint too few': (
        set_in('annotations', 1, 'keypoints', [5, 5, 2] * 16),
        "annotation id 8: 'keypoints' should be 51 numbers, found 48",
    ),
    'a number too many': (
        set_in('annotations', 1, 'keypoints', [5, 5, 2] * 17 + [1]),
        "annotation id 8: 'keypoints' should be 51 numbers, found 52",
    ),
    'null keypoints': (
        set_in('annotations', 1, 'keypoints', None),
        "annotation id 8: 'keypoints' should be list, found None",
    ),
    'visibility 3': (
        set_in('annotations', 1, 'keypoints', 2, 3),
        "annotation id 8: 'keypoints' has a visibility flag",
    ),
}


@pytest.mark.parametrize('name', ERRORS)
def test_errors_name_file_record_and_field(coco, load, name):
    change, message = ERRORS[name]
    change(coco)
    with pytest.raises(ValueError, match=rf'people\.json: {message}') as error:
        load(coco)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('text', ['', '{"images": [', 'hello'])
def test_broken_json(load, text):
    with pytest.raises(ValueError, match=r'people\.json: is not JSON'):
        load(text)


def test_wrong_top_level_and_no_file(load, tmp_path):
    with pytest.raises(ValueError, match=r'people\.json: should be a JSON object'):
        load('[]')
    with pytest.raises(FileNotFoundError, match='nowhere.json: there is no such file'):
        ValidatedCocoDataset(ann_file=str(tmp_path / 'nowhere.json'))


def test_area_is_needed_for_evaluation_only(coco, load):
    del coco['annotations'][0]['area']
    assert len(load(coco)) == 3
    with pytest.raises(ValueError, match="annotation id 7: field 'area' is missing"):
        load(coco, test_mode=True)
    assert len(load(coco, test_mode=True, needs_area=False)) == 3


def test_other_keypoint_counts_come_from_the_metainfo(coco, load):
    aic = dict(from_file='configs/_base_/datasets/aic.py')  # 14 keypoints
    with pytest.raises(ValueError, match='should be 42 numbers, found 51'):
        load(coco, metainfo=aic)
    for annotation in coco['annotations']:
        annotation['keypoints'] = annotation['keypoints'][:42]
    assert len(load(coco, metainfo=aic)) == 3


def test_missing_images_are_an_error(coco, load):
    coco['images'].append(dict(id=4, file_name='4.png', width=64, height=48))
    assert len(load(coco)) == 3  # nobody is in it, so nothing will ask for it
    coco['annotations'].append(person(10, 4))
    message = r'people\.json: 1 of 4 images do not exist, among them .*4\.png'
    with pytest.raises(FileNotFoundError, match=message):
        load(coco)
    assert len(load(coco, check_images=False)) == 4
    with pytest.raises(FileNotFoundError, match='4 of 4 images.*data_prefix'):
        load(coco, data_prefix=dict(img='elsewhere/'))


def test_a_broken_image_is_an_error_that_names_it(coco, load, tmp_path):
    dataset = load(coco, pipeline=[dict(type='mmpose.LoadImage')])
    image = tmp_path / 'images' / '2.png'
    image.write_bytes(image.read_bytes()[:20])
    assert dataset[0]['img'].shape == (HEIGHT, WIDTH, 3)
    with pytest.raises(ValueError, match=r'images/2\.png: is not an image'):
        dataset[1]


def detection(image_id=1, **fields):
    return (
        dict(image_id=image_id, category_id=1, bbox=[1, 2, 20, 30], score=0.9) | fields
    )


def test_detections(coco, load):
    found = [
        detection(),
        detection(2, bbox=[5, 5, 0, 9]),
        detection(2, category_id=18),
        detection(3),
    ]
    dataset = load(coco, detections=found)
    assert [info['img_id'] for info in dataset] == [1, 3]
    assert dataset.skipped == {
        'boxes without area': 1,
        'detections of other categories': 1,
    }
    # a test server's annotation file has no people
    del coco['annotations']
    assert len(load(coco, detections=found)) == 2


def infos(dataset):
    return [dataset.get_data_info(i) for i in range(len(dataset))]


def test_detections_load_as_upstream_loads_them(coco, load):
    """Other categories and boxes without area aside, to the last bit; and each knows
    its category, without which upstream's metric takes it for the first.
    """
    rng = np.random.default_rng(0)
    found = [
        detection(
            int(rng.integers(1, 4)),
            bbox=rng.uniform(1, 30, 4).tolist(),
            score=float(rng.random()),
            category_id=int(rng.integers(1, 3)),
        )
        for _ in range(40)
    ]
    ours, theirs = load(coco, detections=found), load(coco, CocoDataset, found)
    assert ours.metainfo['CLASSES'] == theirs.metainfo['CLASSES']
    for a, b in zip(infos(ours), infos(theirs), strict=True):
        assert a.pop('category_id') == 1  # by which MMPose's metric goes
        assert list(a) == list(b)
        np.testing.assert_equal(a, b)
        for key in ('bbox', 'bbox_score', 'keypoints', 'keypoints_visible'):
            assert a[key].dtype == b[key].dtype


@TASK_UTILS.register_module()
class KeepBest:
    """The highest scores of each image, in score order."""

    def __init__(self, count):
        self.count = count

    def __call__(self, boxes, scores, batch_inds):
        assert boxes.dtype == scores.dtype == torch.float32
        assert boxes.shape == (len(scores), 4) and batch_inds.dtype == torch.int64
        kept = []
        for i in scores.argsort(descending=True).tolist():
            rank = sum(batch_inds[i] == batch_inds[j] for j in kept)
            kept += [i] if rank < self.count else []
        return torch.tensor(kept, dtype=torch.int64)


def test_detections_are_filtered_image_by_image(coco, load):
    found = [
        detection(image_id, score=score)
        for image_id, score in ((2, 0.3), (1, 0.2), (2, 0.9), (1, 0.1), (2, 0.5))
    ]
    found.insert(1, detection(2, bbox=[5, 5, 0, 9], score=1.0))  # not the filter's
    raw = load(coco, detections=found)
    dataset = load(
        coco, detections=found, bbox_filter=dict(type='mmdet.KeepBest', count=2)
    )
    assert dataset.skipped == {
        'boxes without area': 1,
        'detections dropped by mmdet.KeepBest': 1,
    }
    # the order and the ids of the file
    kept = [info for info in infos(raw) if info['bbox_score'] != np.float32(0.3)]
    for a, b in zip(infos(dataset), kept, strict=True):
        assert a.pop('sample_idx') <= b.pop('sample_idx')
        np.testing.assert_equal(a, b)
    nobody = dict(type='mmdet.KeepBest', count=0)
    with pytest.raises(ValueError, match='no usable person.*5 detections dropped'):
        load(coco, detections=found, bbox_filter=nobody)
    with pytest.raises(ValueError, match=r'people\.json: `bbox_filter`.*`bbox_file`'):
        load(coco, bbox_filter=nobody)


@pytest.mark.parametrize(
    'found, message',
    [
        ([], 'non-empty JSON list'),
        (dict(results=1), 'non-empty JSON list'),
        ([detection(99)], "detection number 0: 'image_id' is not in the annotation"),
        ([detection(), detection(score=None)], "detection number 1: 'score' should be"),
        ([detection(bbox=[1, 2, 3])], "detection number 0: 'bbox' should be 4 numbers"),
        ([detection(bbox=[1, 2, 3, float('nan')])], "'bbox' is not finite"),
        ([dict(image_id=1, bbox=[1, 2, 3, 4], score=1)], "field 'category_id'"),
        ([3], "detection number 0: field 'image_id'"),
    ],
)
def test_bad_detections(coco, load, found, message):
    with pytest.raises(ValueError, match=rf'found\.json: .*{re.escape(message)}'):
        load(coco, detections=found)


def perfect_ap(dataset):
    """AP, AR of predictions that equal the ground truth of a test-mode data set."""
    metric = CocoMetric(ann_file=dataset.ann_file, nms_mode='none')
    metric.dataset_meta = dataset.metainfo
    samples = [
        dict(
            id=info['id'],
            img_id=info['img_id'],
            pred_instances=dict(
                keypoints=info['keypoints'], keypoint_scores=np.ones((1, 17))
            ),
            gt_instances=dict(bbox_scores=np.ones(1)),
        )
        for info in dataset
    ]
    metric.process({}, samples)
    scores = metric.evaluate(len(samples))
    return scores['coco/AP'], scores['coco/AR']


def test_a_skipped_person_counts_as_missed_in_evaluation(coco, load):
    for annotation in coco['annotations']:
        annotation['area'] = 2000  # medium, so that COCO's size bins are not empty
    assert perfect_ap(load(coco, test_mode=True)) == pytest.approx((1, 1))
    coco = copy.deepcopy(coco)
    coco['annotations'][1]['bbox'] = [10, 10, 0, 30]
    dataset = load(coco, test_mode=True)
    assert len(dataset) == 2
    ap, ar = perfect_ap(dataset)
    assert ar == pytest.approx(2 / 3)
    assert ap < 0.7


def test_numbers_that_float32_cannot_hold(load):
    content = dict(
        images=[dict(id=1, file_name='1.png', width=WIDTH, height=HEIGHT)],
        annotations=[person(7, 1)],
        categories=[dict(id=1, name='person')],
    )
    content['annotations'][0]['keypoints'][0] = 3.5e38
    with pytest.raises(ValueError, match=r"annotation id 7: 'keypoints' is beyond"):
        load(content)


def test_annotation_ids_below_zero(coco, load):
    """COCOeval takes -1 for no match; training does without ids."""
    coco['annotations'][0]['id'] = 0
    assert perfect_ap(load(coco, test_mode=True))[1] == pytest.approx(1)
    coco['annotations'][0]['id'] = -7
    assert len(load(coco)) == 3
    with pytest.raises(ValueError, match=r"json: annotation id -7: 'id' is negative"):
        load(coco, test_mode=True)
