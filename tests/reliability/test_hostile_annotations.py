"""Damaged annotation and detection files: whole content, or one sentence."""

import contextlib
import io
from functools import cache, partial

import numpy as np
from damaged_json import damaged_json, read_or_refuse
from fuzzing import FUZZ, fuzz
from hypothesis import strategies as st

from ogn_mm.datasets import (
    CocoKeypointDetectionDataset,
    MixedBoxCocoDataset,
    ValidatedCocoDataset,
)
from ogn_mm.datasets.detections import load_detections

NUM_KEYPOINTS = 17
PEOPLE = {1: 'person'}


def person(id, image_id, **fields):
    keypoints = [[12 + k, 30 - k, k % 3] for k in range(NUM_KEYPOINTS)]
    required = dict(
        id=id,
        image_id=image_id,
        category_id=1,
        bbox=[10, 10, 22, 32],
        keypoints=[value for keypoint in keypoints for value in keypoint],
    )
    return required | fields


COCO = dict(
    images=[dict(id=i, file_name=f'{i}.png', width=64, height=48) for i in (1, 2)],
    annotations=[
        person(7, 1, area=500, num_keypoints=11, iscrowd=0),
        person(8, 1, area=9.5, iscrowd=0, ignore=False),
        person(9, 2, iscrowd=1, segmentation=dict(size=[48, 64], counts='0P')),
    ],
    categories=[dict(id=1, name='person')],
)
EVALUATED = dict(COCO, annotations=COCO['annotations'][:2])
PLAIN = dict(
    COCO, annotations=[person(7, 2, segmentation=[[1, 1, 9, 1, 9, 9]]), person(8, 2)]
)
WITHOUT_PEOPLE = dict(images=COCO['images'], categories=COCO['categories'])
DETECTIONS = [
    dict(image_id=i, category_id=c, bbox=[8, 9, 20.5, 30], score=0.5)
    for i, c in ((1, 1), (2, 1), (2, 18))
]
FILES = damaged_json(COCO, EVALUATED, PLAIN, WITHOUT_PEOPLE)


# They are made once, for reading the skeleton's config takes long.
@cache
def build(cls, path, **options):
    options = dict(data_prefix=dict(img=''), check_images=False, pipeline=[]) | options
    return cls(ann_file=str(path), lazy_init=True, **options)


def load(dataset) -> list[dict]:
    """All samples; upstream's loader prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        dataset.data_list = dataset.load_data_list()
        return dataset.filter_data()


def assert_whole(sample):
    """A person's fields have their shapes and are finite."""
    shapes = dict(
        keypoints=(1, NUM_KEYPOINTS, 2),
        keypoints_visible=(1, NUM_KEYPOINTS),
        bbox=(1, 4),
        bbox_score=(1,),
    )
    for name, shape in shapes.items():
        assert sample[name].shape == shape
        assert np.isfinite(sample[name]).all()
    assert np.isfinite(sample.get('area', 0)).all()


def check_coco(path, data, test_mode):
    path.write_bytes(data)
    dataset = build(ValidatedCocoDataset, path, test_mode=test_mode)
    samples = read_or_refuse(partial(load, dataset), path)
    if samples is None:
        return
    for sample in samples:
        assert_whole(sample)
    ids = [sample['id'] for sample in samples]
    assert len(set(ids)) == len(ids) > 0
    # each is there or counted
    listed = build(ValidatedCocoDataset, path, data_mode='bottomup')
    people = [
        id
        for sample in read_or_refuse(partial(load, listed), path)
        for id in sample['id']
    ]
    reasons = dataset.skipped.copy()
    reasons.pop('people without box or keypoints', None)
    reasons.pop('annotations of categories without keypoints', None)
    assert len(samples) + sum(reasons.values()) == len(people)


def check_instances(path, data, test_mode):
    path.write_bytes(data)
    dataset = build(CocoKeypointDetectionDataset, path, test_mode=test_mode)
    for sample in read_or_refuse(partial(load, dataset), path) or ():
        assert isinstance(sample['img_path'], str)
        assert sample['width'] > 0 and sample['height'] > 0
        for instance in sample['instances']:
            for name, length in (('keypoints', 3 * NUM_KEYPOINTS), ('bbox', 4)):
                values = np.array(instance[name], np.float32)
                assert values.shape == (length,)
                assert np.isfinite(values).all()


def check_detections(path, data):
    path.write_bytes(data)
    found = read_or_refuse(lambda: load_detections(str(path), [1, 2, 3], PEOPLE), path)
    if found is None:
        return
    detections, skipped = found
    shapes = [column.shape[1:] for column in detections]
    assert shapes == [(), (), (), (4,), ()]
    assert set(detections.categories.tolist()) <= PEOPLE.keys()
    assert all(np.isfinite(column).all() for column in detections)
    assert len(set(detections.numbers)) == len(detections.numbers)
    boxes = detections.boxes
    assert (boxes[:, 2:] > boxes[:, :2]).all()


def check_detected_people(folder, annotations, detections):
    """Both files at once: boxes to test on, and boxes to mix in."""
    path, found = folder / 'files.json', folder / 'files.found.json'
    path.write_bytes(annotations)
    found.write_bytes(detections)
    tested = build(ValidatedCocoDataset, path, test_mode=True, bbox_file=str(found))
    mixed = build(MixedBoxCocoDataset, path, detection_file=str(found))
    for dataset in (tested, mixed):
        refused_by = folder / 'files'  # either
        for sample in read_or_refuse(partial(load, dataset), refused_by) or ():
            assert_whole(sample)
            boxes = sample.get('detected_bboxes', np.zeros((0, 4)))
            assert boxes.shape == (len(boxes), 4)
            assert np.isfinite(boxes).all()


@FUZZ
def test_people(tmp_path, examples):
    path = st.just(tmp_path / 'people.json')
    fuzz(check_coco, path, FILES, st.booleans(), examples=examples)


@FUZZ
def test_instances(tmp_path, examples):
    path = st.just(tmp_path / 'people.json')
    fuzz(check_instances, path, FILES, st.booleans(), examples=examples)


@FUZZ
def test_detections(tmp_path, examples):
    path = st.just(tmp_path / 'found.json')
    fuzz(check_detections, path, damaged_json(DETECTIONS), examples=examples)


@FUZZ
def test_people_with_detections(tmp_path, examples):
    files = [damaged_json(*f, largest=1) for f in ((COCO, PLAIN), (DETECTIONS,))]
    fuzz(check_detected_people, st.just(tmp_path), *files, examples=examples)
