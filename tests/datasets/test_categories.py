"""Data sets of any category: boxes, detections, results and metrics go by its id."""

import json
import re
from types import SimpleNamespace

import mmengine
import numpy as np
import pytest
from mmengine.config import Config
from mmpose.datasets import CocoDataset
from mmpose.registry import METRICS

from ogn_mm.datasets import MixedBoxCocoDataset, ValidatedCocoDataset
from ogn_mm.datasets.categories import (
    category_of,
    choose_category,
    keypoint_categories,
    listed,
)
from ogn_mm.engine.category_check import use_keypoint_categories
from ogn_mm.evaluation import evaluate_predictions

BOX = [8, 6, 48, 48]
POSE = [32, 10, 2, 12, 50, 2, 52, 50, 2]
META = dict(
    dataset_name='arrows',
    keypoint_info={
        i: dict(id=i, name=name, color=[0, 0, 0], type='', swap='')
        for i, name in enumerate(['tip', 'left', 'right'])
    },
    skeleton_info={},
    joint_weights=[1.0] * 3,
    sigmas=[0.05] * 3,
)
BOTH_METRICS = ['CocoMetric', 'PoseNMSCocoMetric']


def posed(id, category, **fields):
    annotation = dict(id=id, image_id=id, category_id=category, bbox=BOX, area=1200.0)
    return annotation | dict(iscrowd=0, num_keypoints=3, keypoints=POSE) | fields


def boxed(id, category, image):
    return dict(id=id, image_id=image, category_id=category, bbox=BOX)


def arrows(*categories, names=None):
    """An image with an annotation of each category in turn."""
    names = names or {i: f'arrow {i}' for i in categories}
    ids = range(1, len(categories) + 1)
    return dict(
        images=[dict(id=i, file_name=f'{i}.png', width=64, height=64) for i in ids],
        annotations=[posed(i, c) for i, c in zip(ids, categories, strict=True)],
        categories=[dict(id=i, name=name) for i, name in names.items()],
    )


def found(*categories, **fields):
    """A detection of each category in turn, in the images of :func:`arrows`."""
    return [
        dict(image_id=i, category_id=c, bbox=BOX, score=0.9) | fields
        for i, c in enumerate(categories, 1)
    ]


@pytest.fixture
def load(tmp_path):
    """Writes annotations, and detections if there are some; loads a data set."""

    def load(content, detections=None, cls=ValidatedCocoDataset, **options):
        (tmp_path / 'truth.json').write_text(json.dumps(content))
        if detections is not None:
            (tmp_path / 'found.json').write_text(json.dumps(detections))
            name = 'detection_file' if cls is MixedBoxCocoDataset else 'bbox_file'
            options[name] = str(tmp_path / 'found.json')
        if cls is ValidatedCocoDataset:
            options = dict(test_mode=True) | options
        return cls(
            ann_file=str(tmp_path / 'truth.json'),
            check_images=False,
            metainfo=META,
            **options,
        )

    return load


def infos(dataset):
    return [dataset.get_data_info(i) for i in range(len(dataset))]


def to_samples(dataset):
    """What a perfect network makes of a data set's boxes."""
    pose = np.reshape(POSE, (1, 3, 3))
    return [
        dict(
            id=info['id'],
            img_id=info['img_id'],
            category_id=info['category_id'],
            pred_instances=dict(
                keypoints=pose[..., :2],
                keypoint_scores=np.ones((1, 3)),
                bboxes=info['bbox'],
            ),
            gt_instances=dict(bbox_scores=info['bbox_score']),
        )
        for info in infos(dataset)
    ]


def average_precision(dataset, kind, hooked=True, samples=None):
    """AP of a perfect network, by a metric that a Runner has or has not prepared."""
    metric = METRICS.build(dict(type=kind, ann_file=dataset.ann_file))
    metric.dataset_meta = dataset.metainfo
    if hooked:
        use_keypoint_categories(make_loop(dataset, metric), 'val')
    samples = samples or to_samples(dataset)
    metric.process({}, samples)
    return metric.evaluate(len(samples))['coco/AP']


def make_loop(dataset, metric):
    return SimpleNamespace(
        dataloader=SimpleNamespace(dataset=dataset),
        evaluator=SimpleNamespace(metrics=[metric]),
    )


@pytest.mark.parametrize(
    'content, expected',
    [
        (arrows(5, 5), {5: 'arrow 5'}),
        (arrows(0), {0: 'arrow 0'}),
        (arrows(2, 3), {2: 'arrow 2', 3: 'arrow 3'}),
        # of the two that nobody is annotated of, one lists keypoints
        (
            dict(
                categories=[
                    dict(id=1, name='person'),
                    dict(id=2, name='pose', keypoints=['tip']),
                ],
            ),
            {2: 'pose'},
        ),
        (
            dict(
                annotations=[dict(category_id=1), dict(category_id=2, keypoints=POSE)],
                categories=[dict(id=1, name='person'), dict(id=2, name='pose')],
            ),
            {2: 'pose'},
        ),
        # boxes alone, and files for test servers
        (
            dict(categories=[dict(id=3, name='dog'), dict(id=7, name='person')]),
            {7: 'person'},
        ),
        (dict(categories=[dict(id=3, name='dog')], annotations=None), {3: 'dog'}),
        (
            dict(categories=[dict(id=3, name='dog'), dict(id=4, name='cat')]),
            {3: 'dog', 4: 'cat'},
        ),
    ],
)
def test_categories_with_keypoints(content, expected):
    assert keypoint_categories(content) == expected


def test_a_detectors_class_is_the_only_category_or_has_its_name():
    assert choose_category(arrows(4), 'a.json') == dict(id=4, name='arrow 4')
    two = arrows(4, 9, names={4: 'cat', 9: 'person'})
    assert choose_category(two, 'a.json')['id'] == 9
    assert choose_category(two, 'a.json', 'cat')['id'] == 4
    for content, name in ((two, 'dog'), (arrows(4), 'dog'), (arrows(4, 5), 'person')):
        with pytest.raises(ValueError, match=rf"a\.json: .* one category '{name}' .*4"):
            choose_category(content, 'a.json', name)


def test_categories_in_messages_are_few():
    assert listed({2: 'cat'}) == "2 ('cat')"
    assert listed(dict.fromkeys(range(9), 'a')) == "0 ('a'), 1 ('a'), 2 ('a'), 6 more"


@pytest.mark.parametrize(
    'metainfo, expected',
    [
        (dict(CLASSES=[dict(id=2, name='cat', keypoints=['tip'])]), (2, 'cat')),
        (dict(category=dict(id=0, name='cat')), (0, 'cat')),
        (dict(), (1, 'person')),
        (dict(CLASSES='cat'), (1, 'person')),
        (dict(CLASSES=[dict(id='2', name='cat')], category=3), (1, 'person')),
    ],
)
def test_category_of_a_network(metainfo, expected):
    assert tuple(category_of(metainfo).values()) == expected


@pytest.mark.parametrize('category', [0, 1, 2, 10**6])
@pytest.mark.parametrize('kind', BOTH_METRICS)
def test_any_id_with_annotated_and_detected_boxes(load, category, kind):
    for detections in (None, found(category, category)):
        dataset = load(arrows(category, category), detections)
        assert [int(info['category_id']) for info in infos(dataset)] == [category] * 2
        assert average_precision(dataset, kind) == 1


@pytest.mark.parametrize('cls', [ValidatedCocoDataset, MixedBoxCocoDataset])
def test_detections_of_another_id_are_one_sentence_with_both(load, cls):
    message = (
        r"found\.json: no detection has the 'category_id' of the annotation file, "
        r"2 \('arrow 2'\), found \[1\]; if they are of this category, put its id into"
    )
    with pytest.raises(ValueError, match=message) as error:
        load(arrows(2, 2), found(1, 1), cls)
    assert '\n' not in str(error.value)


def test_detectors_may_know_more(load):
    """All of COCO's 80 classes, where the annotation file lists one."""
    detections = found(7) + found(7, category_id=18) + found(7, category_id=90)
    dataset = load(arrows(7), detections)
    assert len(dataset) == 1
    assert dataset.skipped == {'detections of other categories': 2}


@pytest.mark.parametrize('kind', BOTH_METRICS)
def test_several_categories_with_one_skeleton(load, kind):
    """As of animals: AP is the mean, and detections say which category they are of."""
    content = arrows(1, 2, 5)
    for detections in (None, found(1, 2, 5)):
        ap = average_precision(load(content, detections), kind)
        assert ap == pytest.approx(1)
    third = average_precision(load(content, found(1, 1, 1)), kind)
    assert third == pytest.approx(1 / 3)


def test_detections_belong_to_people_of_their_category(load):
    content = arrows(1, 2)
    content['annotations'][1]['image_id'] = 1
    content['annotations'][1]['bbox'] = [8, 6, 48, 40]
    detections = found(2) + found(1, bbox=[8, 6, 48, 41])
    for info in infos(load(content, detections, MixedBoxCocoDataset)):
        bottom = {1: 47, 2: 54}[int(info['category_id'])]
        assert info['detected_bboxes'].tolist() == [[8, 6, 56, bottom]]


def with_boxes(*categories):
    """Poses of a category, and in every image a box of category 0, without area."""
    content = arrows(*categories)
    content['categories'].insert(0, dict(id=0, name='person'))
    content['annotations'] += [
        boxed(100 + image['id'], 0, image['id']) for image in content['images']
    ]
    return content


@pytest.mark.parametrize('keypoints', [{}, dict(keypoints=[]), dict(keypoints=None)])
def test_boxes_beside_poses_are_the_same_in_training_and_testing(load, keypoints):
    content = with_boxes(4, 4)
    for annotation in content['annotations'][2:]:
        annotation |= keypoints
    for mode in (True, False):
        for form in ('topdown', 'bottomup'):
            dataset = load(content, test_mode=mode, data_mode=form)
            assert len(dataset) == 2
            assert dataset.skipped == {'annotations of categories without keypoints': 2}
            assert [c['id'] for c in dataset.metainfo['CLASSES']] == [4]
    dataset = load(content, found(4, 4))
    assert [info['category_id'] for info in infos(dataset)] == [4, 4]


@pytest.mark.parametrize(
    'kind, hooked', [*((kind, True) for kind in BOTH_METRICS), (BOTH_METRICS[1], False)]
)
def test_boxes_beside_poses_do_not_count(load, kind, hooked):
    content = with_boxes(4, 4)
    assert average_precision(load(content), kind, hooked) == 1
    assert average_precision(load(content, found(4, 4)), kind, hooked) == 1
    # one of two is missed
    dataset = load(content)
    half = average_precision(dataset, kind, hooked, to_samples(dataset)[:1])
    assert half == pytest.approx(51 / 101)  # of COCO's 101 recalls, up to 0.5


def test_an_annotation_of_the_category_that_lacks_keypoints_is_an_error(load):
    content = with_boxes(4, 4)
    del content['annotations'][1]['keypoints']
    with pytest.raises(ValueError, match="annotation id 2: field 'keypoints' is miss"):
        load(content)


def test_metric_and_data_set_of_other_categories(load, tmp_path):
    dataset = load(arrows(2, 2))
    path = tmp_path / 'other.json'
    path.write_text(json.dumps(arrows(1, 1)))
    metric = METRICS.build(dict(type='CocoMetric', ann_file=str(path)))
    message = (
        r'other\.json: `ann_file` of `test_evaluator` has people of category '
        r"1 \('arrow 1'\), but `test_dataloader` of 2 \('arrow 2'\)"
    )
    with pytest.raises(ValueError, match=message):
        use_keypoint_categories(make_loop(dataset, metric), 'test')
    metric = METRICS.build(dict(type='PoseNMSCocoMetric', ann_file=str(path)))
    with pytest.raises(ValueError, match=r"`category_id`, 2, is not in the .*1 \('arr"):
        metric.process({}, to_samples(dataset))


def measure(dataset, predictions, tmp_path, kind='CocoMetric'):
    return evaluate_predictions(
        Config(dict(test_evaluator=dict(type=kind))),
        dataset.ann_file,
        dataset.metainfo,
        predictions,
        str(tmp_path),
    )[1]['coco/AP']


@pytest.mark.parametrize('content', [arrows(2, 2), with_boxes(2, 2)])
def test_results_have_categories_of_the_file(load, tmp_path, content):
    dataset, path = load(content), tmp_path / 'poses.json'
    path.write_text(json.dumps(found(2, 2, keypoints=POSE)))
    assert measure(dataset, path, tmp_path) == 1
    wrong = [(77, "prediction number 0: 'category_id' is not in the annotation file")]
    if len(content['categories']) > 1:
        wrong.append((0, "no prediction has the 'category_id' of the annotation file"))
    for category, message in wrong:
        path.write_text(json.dumps(found(category, category, keypoints=POSE)))
        expected = rf"poses\.json: {message}, .*2 \('arrow 2'\), found .*{category}"
        with pytest.raises(ValueError, match=expected):
            measure(dataset, path, tmp_path)


@pytest.mark.parametrize('kind', BOTH_METRICS)
def test_predictions_have_categories_of_the_file(load, tmp_path, kind):
    dataset, path = load(with_boxes(2, 2)), tmp_path / 'found.pkl'
    samples = to_samples(dataset)
    mmengine.dump(samples, path)
    assert measure(dataset, path, tmp_path, kind) == 1
    del samples[1]['category_id']
    mmengine.dump(samples, path)
    message = re.escape("has 2 ('arrow 2'), found 1")
    with pytest.raises(ValueError, match=rf'found\.pkl: prediction id 2: .*{message}'):
        measure(dataset, path, tmp_path, kind)


def test_upstream_takes_one_category_alone(load):
    """Why samples have their category: MMPose's are read for id 1, and have none."""
    assert len(load(arrows(2, 2), found(2, 2))) == 2
    dataset = load(arrows(2, 2))
    upstream = CocoDataset(
        ann_file=dataset.ann_file,
        bbox_file=dataset.ann_file.replace('truth', 'found'),
        metainfo=META,
        test_mode=True,
        lazy_init=True,
    )
    assert upstream._load_detection_results() == []
