"""Categories of COCO files: no id and no name is taken for granted."""

import json

import numpy as np
import pytest
from mmengine.structures import InstanceData
from mmpose.registry import DATASETS, METRICS
from mmpose.structures import PoseDataSample
from PIL import Image
from xtcocotools.coco import COCO

from ogn_mm.datasets.categories import (
    category_of,
    choose_category,
    keypoint_categories,
    leave_out_boxes,
)

NAMES = ['tip', 'left', 'right']
SKELETON = dict(
    dataset_name='arrows',
    keypoint_info={
        k: dict(id=k, name=name, color=[0, 0, 0], type='', swap=swap)
        for k, (name, swap) in enumerate(zip(NAMES, ['', 'right', 'left'], strict=True))
    },
    skeleton_info={},
    joint_weights=[1.0] * 3,
    sigmas=[0.025, 0.05, 0.05],
)
POSE = [32, 10, 2, 12, 50, 2, 52, 50, 2]
BOX = [8, 6, 48, 48]


def arrow(number, category, **fields):
    return dict(
        id=number,
        image_id=1,
        category_id=category,
        bbox=BOX,
        area=1152.0,
        iscrowd=0,
        keypoints=POSE,
        num_keypoints=3,
    ) | dict(fields)


def annotations(category=1, name='arrow'):
    return dict(
        images=[dict(id=1, file_name='a.png', width=64, height=64)],
        annotations=[arrow(1, category)],
        categories=[dict(id=category, name=name, keypoints=NAMES, skeleton=[])],
    )


def with_boxes(category=1, boxes=0):
    """As Label Studio's files: boxes of another category, without area, beside them."""
    content = annotations(category)
    content['categories'].insert(0, dict(id=boxes, name='box'))
    content['annotations'].append(
        dict(id=2, image_id=1, category_id=boxes, bbox=BOX, iscrowd=0, segmentation=[])
    )
    return content


@pytest.fixture
def write(tmp_path):
    Image.new('RGB', (64, 64)).save(tmp_path / 'a.png')

    def write_json(name, content):
        (tmp_path / name).write_text(json.dumps(content))
        return str(tmp_path / name)

    return write_json


def build(ann_file, **options):
    settings = dict(
        type='ValidatedCocoDataset',
        data_mode='topdown',
        ann_file=ann_file,
        data_prefix=dict(img=ann_file.rpartition('/')[0]),
        metainfo=SKELETON,
        test_mode=True,
        pipeline=[],
    )
    return DATASETS.build(settings | options)


def score_truth(dataset, ann_file, kind='PoseNMSCocoMetric'):
    """AP of the true poses, given to each of a data set's boxes."""
    metric = METRICS.build(dict(type=kind, ann_file=ann_file))
    metric.dataset_meta = dataset.metainfo
    leave_out_boxes(metric.coco)  # as CheckKeypointsHook does before a test
    points = np.array(POSE, np.float32).reshape(1, 3, 3)
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        sample = PoseDataSample(metainfo={k: info[k] for k in ('id', 'img_id')})
        sample.set_metainfo(dict(category_id=info['category_id']))
        sample.gt_instances = InstanceData(
            bbox_scores=info['bbox_score'], bbox_scales=np.array([[60.0, 60.0]])
        )
        sample.pred_instances = InstanceData(
            keypoints=points[..., :2],
            keypoint_scores=np.ones((1, 3), np.float32),
            bboxes=info['bbox'].reshape(1, 4),
        )
        metric.process(None, [sample.to_dict()])
    return round(metric.evaluate(len(dataset))['coco/AP'], 6)


@pytest.mark.parametrize('kind', ['PoseNMSCocoMetric', 'CocoMetric'])
@pytest.mark.parametrize('category', [0, 1, 2, 77])
def test_any_id_with_annotated_and_with_detected_boxes(write, category, kind):
    ann_file = write('gt.json', annotations(category))
    assert score_truth(build(ann_file), ann_file, kind) == 1
    found = [dict(image_id=1, category_id=category, bbox=BOX, score=0.9)]
    dataset = build(ann_file, bbox_file=write('found.json', found))
    assert dataset.get_data_info(0)['category_id'] == category
    assert score_truth(dataset, ann_file, kind) == 1


def test_detections_of_another_category_alone_are_refused(write):
    ann_file = write('gt.json', annotations(2))
    found = [dict(image_id=1, category_id=1, bbox=BOX, score=0.9)]
    with pytest.raises(ValueError, match=r'found.json: .*2 \(.arrow.\), found \[1\]'):
        build(ann_file, bbox_file=write('found.json', found))


def test_a_detector_of_many_classes_may_know_more(write):
    """As one of COCO's 80 classes does of a file of people."""
    ann_file = write('gt.json', annotations(1, 'person'))
    found = [
        dict(image_id=1, category_id=category, bbox=BOX, score=0.9)
        for category in (1, 18, 90)
    ]
    dataset = build(ann_file, bbox_file=write('found.json', found))
    assert len(dataset) == 1
    assert dataset.skipped == {'detections of other categories': 2}


@pytest.mark.parametrize('kind', ['PoseNMSCocoMetric', 'CocoMetric'])
@pytest.mark.parametrize('ids', [(1, 0), (1, 2), (0, 5)])
def test_boxes_beside_the_poses_are_left_out_in_training_and_testing(write, ids, kind):
    ann_file = write('gt.json', with_boxes(*ids))
    left_out = {'annotations of categories without keypoints': 1}
    for test_mode in (False, True):
        dataset = build(ann_file, test_mode=test_mode)
        assert len(dataset) == 1 and dataset.skipped == left_out
    assert score_truth(dataset, ann_file, kind) == 1


def test_a_person_without_keypoints_is_missing_them_all_the_same(write):
    content = annotations()
    content['annotations'].append(arrow(2, 1))
    del content['annotations'][1]['keypoints']
    with pytest.raises(ValueError, match="annotation id 2: field 'keypoints'"):
        build(write('gt.json', content))


def test_several_kinds_of_animals_keep_their_categories(write):
    content = annotations(3, 'cat')
    content['categories'].append(dict(id=9, name='dog', keypoints=NAMES))
    content['images'].append(dict(content['images'][0], id=2))
    content['annotations'].append(arrow(2, 9, image_id=2))
    ann_file = write('gt.json', content)
    dataset = build(ann_file)
    assert [dataset.get_data_info(i)['category_id'] for i in (0, 1)] == [3, 9]
    assert score_truth(dataset, ann_file) == 1
    found = [
        dict(image_id=image, category_id=category, bbox=BOX, score=0.9)
        for image, category in ((2, 9), (1, 3), (1, 4))
    ]
    dataset = build(ann_file, bbox_file=write('found.json', found))
    assert [dataset.get_data_info(i)['category_id'] for i in (0, 1)] == [9, 3]
    assert score_truth(dataset, ann_file) == 1


def test_which_categories_have_keypoints():
    person, box = dict(id=4, name='person'), dict(id=7, name='box')
    posed = dict(box, keypoints=['nose'])
    people = [dict(category_id=7, keypoints=[1, 2, 2])]
    assert keypoint_categories(dict(categories=[person, posed])) == {7: 'box'}
    assert keypoint_categories(dict(categories=[person, box], annotations=people)) == {
        7: 'box'
    }
    assert keypoint_categories(dict(categories=[person, box])) == {4: 'person'}
    assert keypoint_categories(dict(categories=[box])) == {7: 'box'}


def test_which_category_a_detector_finds():
    one = annotations(5, 'mouse')
    assert choose_category(one, 'gt.json') == dict(id=5, name='mouse')
    two = annotations(5, 'mouse')
    two['categories'].append(dict(id=6, name='rat', keypoints=NAMES))
    assert choose_category(two, 'gt.json', 'rat') == dict(id=6, name='rat')
    with pytest.raises(ValueError, match='gt.json: .*5 .*mouse.*; choose one by --cat'):
        choose_category(two, 'gt.json', option='--category')


@pytest.mark.parametrize(
    'metainfo, found',
    [
        (dict(CLASSES=[dict(id=2, name='cat', keypoints=NAMES)]), (2, 'cat')),
        (dict(category=dict(id=0, name='fly')), (0, 'fly')),
        (dict(CLASSES=('person', 'bicycle')), (1, 'person')),
        (dict(CLASSES=[dict(id='x', name=3)]), (1, 'person')),
        ({}, (1, 'person')),
    ],
)
def test_the_category_that_a_checkpoint_tells(metainfo, found):
    assert tuple(category_of(metainfo).values()) == found


def test_leaving_out_boxes_keeps_what_is_measured(write):
    coco = COCO(write('gt.json', with_boxes(3, 1)))
    leave_out_boxes(coco)
    assert list(coco.cats) == [3] and list(coco.anns) == [1]
    assert coco.imgToAnns[1] == [coco.anns[1]]
