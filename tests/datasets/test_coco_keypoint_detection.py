"""People with boxes and keypoints for MMDetection: as upstream, checked, counted."""

import json
import pickle

import cv2
import numpy as np
import pytest
from mmdet.datasets import CocoDataset
from mmdet.registry import DATASETS

from ogn_mm.datasets import CocoKeypointDetectionDataset

WIDTH, HEIGHT = 64, 48
FILTER = dict(filter_empty_gt=True, min_size=32)


def person(id, image_id, **fields):
    return (
        dict(
            id=id,
            image_id=image_id,
            category_id=1,
            bbox=[10, 10, 22, 32],
            area=500,
            iscrowd=0,
            num_keypoints=17,
            keypoints=[20 + id, 30, 2] * 17,
        )
        | fields
    )


@pytest.fixture
def coco():
    """Three images; two people in the first, one in the second, nobody in the third."""
    return dict(
        images=[
            dict(id=i, file_name=f'{i}.png', width=WIDTH, height=HEIGHT)
            for i in (1, 2, 3)
        ],
        annotations=[person(7, 1), person(8, 1), person(9, 2)],
        categories=[dict(id=1, name='person'), dict(id=2, name='dog')],
    )


@pytest.fixture
def load(tmp_path):
    """Writes annotations (a dict, or text) and three images; loads the data set."""

    def load(content, cls=CocoKeypointDetectionDataset, **kwargs):
        (tmp_path / 'images').mkdir(exist_ok=True)
        for i in (1, 2, 3):
            image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
            cv2.imwrite(str(tmp_path / 'images' / f'{i}.png'), image)
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / 'people.json').write_text(text)
        kwargs = dict(data_prefix=dict(img='images/')) | kwargs
        return cls(ann_file='people.json', data_root=str(tmp_path), **kwargs)

    return load


@pytest.mark.parametrize(
    'kwargs', [dict(), dict(test_mode=True), dict(filter_cfg=FILTER)], ids=str
)
def test_loads_as_upstream_does_plus_keypoints(coco, load, kwargs):
    coco['annotations'] += [
        person(10, 1, iscrowd=1),
        person(11, 1, bbox=[10, 10, 0, 30]),
        person(12, 2, category_id=2),
    ]
    ours = load(coco, **kwargs)
    theirs = load(coco, CocoDataset, metainfo=dict(classes=('person',)), **kwargs)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert a.pop('flip_indices') == ours.metainfo['flip_indices']
        keypoints = [instance.pop('keypoints') for instance in a['instances']]
        assert a == b
        ids = dict(zip((1, 2, 3), ([7, 8, 10], [9], []), strict=True))[a['img_id']]
        assert keypoints == [[20 + id, 30, 2] * 17 for id in ids]
    assert DATASETS.get('CocoKeypointDetectionDataset') is type(ours)


def test_people_without_keypoints_keep_their_box(coco, load):
    del coco['annotations'][0]['keypoints']
    first, second = load(coco)[0]['instances']
    assert first['keypoints'] == [0] * 51 and second['keypoints'][:3] == [28, 30, 2]
    assert first['bbox'] == second['bbox']


@pytest.mark.parametrize(
    'fields, reason',
    [
        (dict(bbox=[10, 10, 0, 30]), 'boxes under a pixel or outside the image'),
        (dict(bbox=[10, 10, 20, -3]), 'boxes under a pixel or outside the image'),
        (dict(bbox=[99, 10, 20, 30]), 'boxes under a pixel or outside the image'),
        (dict(area=0), 'people without area'),
        (dict(category_id=2), 'people of other categories'),
        (dict(ignore=1), 'people to be ignored'),
    ],
    ids=str,
)
@pytest.mark.parametrize('test_mode', [False, True])
def test_skips_are_counted(coco, load, monkeypatch, fields, reason, test_mode):
    lines = []
    monkeypatch.setattr(
        'ogn_mm.datasets.coco_keypoint_detection.print_log',
        lambda line, logger: lines.append(line),
    )
    coco['annotations'][1] |= fields
    dataset = load(coco, test_mode=test_mode)
    assert dataset.skipped == {reason: 1}
    assert [len(info['instances']) for info in dataset] == [1, 1, 0]
    (line,) = lines
    assert line.endswith(f'people.json: 3 images; skipped 1 {reason}')


def test_training_counts_people_without_box_and_images_without_people(coco, load):
    del coco['annotations'][0]['bbox']
    dataset = load(coco, filter_cfg=FILTER)
    assert len(dataset) == 2
    assert dataset.skipped == {
        'people without box': 1,
        'images that are small or without people': 1,
    }
    with pytest.raises(ValueError, match=r'people\.json.*id 7.*bbox.*missing'):
        load(coco, test_mode=True)


def test_area_is_needed_where_it_counts(coco, load):
    for annotation in coco['annotations']:
        del annotation['area']
    assert len(load(coco)[0]['instances']) == 2
    with pytest.raises(ValueError, match=r'people\.json.*area.*missing'):
        load(coco, test_mode=True)
    assert len(load(coco, test_mode=True, needs_area=False)[0]['instances']) == 2


def test_nobody_left_is_an_error_that_says_why(coco, load):
    for annotation in coco['annotations']:
        annotation['area'] = 0
    with pytest.raises(ValueError, match=r'no usable person.*3 people without area'):
        load(coco)


@pytest.mark.parametrize('category', [0, 2, 9])
def test_people_may_have_any_category(coco, load, category):
    coco['categories'] = [dict(coco['categories'][0], id=category, name='dancer')]
    for annotation in coco['annotations']:
        annotation['category_id'] = category
    dataset = load(coco)
    assert dataset.metainfo['classes'][0] == 'dancer'
    assert len(dataset[0]['instances']) == 2
    assert {person['bbox_label'] for person in dataset[0]['instances']} == {0}


def test_files_for_test_servers_have_images_alone(coco, load):
    del coco['annotations']
    dataset = load(coco, test_mode=True)
    assert [info['instances'] for info in dataset] == [[], [], []]
    with pytest.raises(ValueError, match=r"people\.json: field 'annotations'"):
        load(coco)


@pytest.mark.parametrize(
    'spoil, message',
    [
        (lambda coco: '{', r'people\.json: is not JSON'),
        (lambda coco: [], r'people\.json: should be a JSON object'),
        (
            lambda coco: coco | dict(annotations=[]),
            "'annotations' should be a non-empty",
        ),
        (
            lambda coco: coco['annotations'][0].update(image_id=9),
            "'image_id' is unknown",
        ),
        (lambda coco: coco['annotations'][1].update(id=7), "id 7: 'id' is not unique"),
        (
            lambda coco: coco['annotations'][0].update(keypoints=[1, 1, 2]),
            "id 7: 'keypoints' should be 51 numbers, found 3",
        ),
        (
            lambda coco: coco['annotations'][2].update(bbox=[1, 2, float('nan'), 4]),
            "id 9: 'bbox' is not finite",
        ),
        (
            lambda coco: coco['images'][0].__delitem__('width'),
            "id 1: field 'width' is missing",
        ),
    ],
)
def test_bad_files_give_one_sentence(coco, load, spoil, message):
    spoilt = spoil(coco)
    content = (
        spoilt if isinstance(spoilt, str | list) or 'images' in (spoilt or ()) else coco
    )
    with pytest.raises(ValueError, match=message) as caught:
        load(content)
    assert 'people.json' in str(caught.value) and '\n' not in str(caught.value)


def test_missing_files(coco, load, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'3 of 3 images do not exist'):
        load(coco, data_prefix=dict(img='nowhere/'))
    load(coco, data_prefix=dict(img='nowhere/'), check_images=False)
    with pytest.raises(FileNotFoundError, match=r'nobody\.json: there is no such file'):
        CocoKeypointDetectionDataset(ann_file='nobody.json', data_root=str(tmp_path))


def test_any_skeleton(coco, load):
    skeleton = dict(
        dataset_name='sticks',
        keypoint_info={
            0: dict(name='head', swap=''),
            1: dict(name='left', swap='right'),
            2: dict(name='right', swap='left'),
        },
        skeleton_info={0: dict(link=('head', 'left'))},
        joint_weights=[1.0] * 3,
        sigmas=[0.05] * 3,
    )
    for annotation in coco['annotations']:
        annotation['keypoints'] = annotation['keypoints'][:9]
    dataset = load(coco, metainfo=skeleton)
    assert dataset.metainfo['num_keypoints'] == 3
    assert dataset.metainfo['classes'] == ('person',)
    assert dataset[0]['flip_indices'] == [0, 2, 1]
    coco['categories'][0]['name'] = 'dancer'
    assert load(coco, metainfo=skeleton | dict(classes=('dancer',))).metainfo[
        'classes'
    ] == ('dancer',)


@pytest.mark.parametrize('others', [[], [dict(id=1, name='person')]])
def test_the_class_is_the_category_with_keypoints_by_any_name(coco, load, others):
    """Boxes beside the poses, as annotation tools name them, are no poses."""
    for annotation in coco['annotations']:
        annotation['category_id'] = 4
    coco['categories'] = [*others, dict(id=4, name='cat')]
    for category in others:
        box = person(20, 3, category_id=category['id'])
        del box['keypoints'], box['area']
        coco['annotations'].append(box)
    for test_mode in (False, True):
        dataset = load(coco, test_mode=test_mode)
        assert dataset.metainfo['classes'] == ('cat',)
        assert dataset.metainfo['category'] == dict(id=4, name='cat')
        assert [len(info['instances']) for info in dataset] == [2, 1, 0]
        assert sum(dataset.skipped.values()) == len(others)


@pytest.mark.parametrize(
    'classes, message',
    [
        (['cow'], "should have one category 'cow' with keypoints, found 1 \\('person'"),
        (['dog'], "should have one category 'dog' with keypoints, found 1 \\('person'"),
        (['person', 'cow'], '`classes` of `metainfo` should name categories of the fi'),
    ],
)
def test_classes_that_the_file_has_not(coco, load, classes, message):
    with pytest.raises(ValueError, match=rf'people\.json: {message}'):
        load(coco, metainfo=dict(classes=classes))


def test_classes_come_in_the_order_of_the_file(coco, load):
    """MMDetection labels by that order: another one would swap the labels."""
    classes = ('person', 'dog')
    coco['annotations'].append(person(10, 2, category_id=2))
    assert load(coco, metainfo=dict(classes=classes)).metainfo['classes'] == classes
    coco['categories'].reverse()
    with pytest.raises(ValueError, match=r"in its order, found \['person', 'dog'\]"):
        load(coco, metainfo=dict(classes=classes))


def test_skeleton_from_file(coco, load):
    for annotation in coco['annotations']:
        annotation['keypoints'] = annotation['keypoints'][:42]
    skeleton = dict(from_file='configs/_base_/datasets/crowdpose.py')
    dataset = load(coco, metainfo=skeleton)
    assert dataset.metainfo['num_keypoints'] == len(dataset[0]['flip_indices']) == 14


def test_counts_survive_pickling_and_lazy_loading(coco, load):
    coco['annotations'][0]['area'] = 0
    dataset = load(coco, lazy_init=True)
    assert dataset.skipped == {}
    dataset.full_init()
    copied = pickle.loads(pickle.dumps(dataset))
    assert copied.skipped == {'people without area': 1}
    assert copied[0]['instances'] == dataset[0]['instances']
