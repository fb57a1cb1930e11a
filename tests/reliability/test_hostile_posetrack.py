"""Damaged sequences of PoseTrack 2017, 2018, 2021: whole content, or one sentence."""

import json
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from damaged_json import damaged_json, read_or_refuse
from fuzzing import FUZZ, fuzz
from hypothesis import strategies as st

from ogn_mm.datasets.checks import check_annotations
from ogn_mm.datasets.posetrack import read_sequence, sequences_to_coco
from ogn_mm.datasets.posetrack.video_dataset import pack_people
from ogn_mm.evaluation.functional import (
    PoseTrackReport,
    read_frames,
    read_posetrack,
    write_posetrack,
)

sys.path.append(str(Path(__file__).parents[1] / 'datasets/posetrack'))
from tiny_sequences import (
    annolist17,
    person,
    pose,
    sequence18,
    write_images,
)

NAME = '000001_bonn_train'
FIRST, SECOND, THIRD = (10_000_010_000 + i for i in range(3))
BOXES = dict(bbox=[8, 18, 20, 20], bbox_head=[1, 2, 9, 9])


def of_2018():
    people = [
        person(FIRST, 0, 1, scores=[0.5] * 17, **BOXES),
        person(FIRST, 1, 2, bbox=[]),
        person(SECOND, 0, 1, pose(20, 10)),
    ]
    region = dict(ignore_regions_x=[[1, 5, 5]], ignore_regions_y=[[1, 1, 5]])
    unlabelled = dict(is_labeled=False)
    return sequence18(NAME, people=people, f0=region, f2=unlabelled)


def of_2021():
    people = [person(FIRST, 0, 1, person_id=5, **BOXES)]
    people.append(person(SECOND, 0, 1, person_id=5, **BOXES) | dict(keypoints=[]))
    return sequence18(NAME, frames=2, people=people)


def of_2017():
    content = annolist17([[(1, pose()), (2, pose(20))], [(1, pose(12))], []])
    corners = [dict(x=[x], y=[y]) for x, y in ((1, 2), (5, 2), (5, 9))]
    content['annolist'][0]['ignore_regions'] = [dict(point=corners)]
    content['annolist'][1]['is_labeled'] = [1]
    return content


SEQUENCES = of_2018(), of_2021(), of_2017()
FILES = damaged_json(*SEQUENCES)


@pytest.fixture
def path(tmp_path):
    """Where a sequence is to be, beside its images."""
    for content in SEQUENCES[:2]:
        write_images(tmp_path, content)
    for number, frame in enumerate(SEQUENCES[2]['annolist']):
        record = dict(id=number, file_name=frame['image'][0]['name'])
        write_images(tmp_path, dict(images=[record]))
    return tmp_path / f'{NAME}.json'


def check_sequence(path, data):
    """As data sets and the conversion to COCO read it."""
    path.write_bytes(data)
    sequence = read_or_refuse(lambda: read_sequence(path), path)
    if sequence is None:
        return
    ids = [frame['id'] for frame in sequence.frames]
    assert len(set(ids)) == len(ids) > 0
    for frame in sequence.frames:
        for region in frame['ignore_regions']:
            assert region.ndim == 2 and region.shape[1] == 2 and len(region) > 2
            assert np.isfinite(region).all()
    for someone in sequence.people:
        assert someone['keypoints'].shape == (17, 3)
        assert someone['image_id'] in ids
    packed = pack_people(sequence.people)
    assert all(np.isfinite(column).all() for column in packed.values())
    convert = partial(sequences_to_coco, [sequence], path.parent, True)
    converted = read_or_refuse(convert, path)
    if converted is not None:
        coco = json.loads(json.dumps(converted[0], allow_nan=False))
        with_people = bool(coco['annotations'])
        check_annotations(coco, 'converted', 17, with_people, with_people)


def check_evaluated(path, data, truth):
    """As the evaluator reads it, and what it writes again."""
    path.write_bytes(data)
    found = read_or_refuse(lambda: read_posetrack(path, truth), path)
    if found is None:
        return
    count = len(found.frames)
    assert found.keypoints.shape == (count, 15, 2)
    assert found.exist.shape == found.scores.shape == (count, 15)
    assert np.isfinite(found.keypoints).all() and np.isfinite(found.scores).all()
    assert (found.frames < found.num_frames).all()
    report = PoseTrackReport(hota=False)
    if read_or_refuse(lambda: report.add(NAME, found, found) or report, path):
        report.build()
    frames = read_or_refuse(lambda: read_frames(path), path)
    if frames is not None:
        written = path.with_name('written.json')
        write_posetrack(written, frames, found)
        again = read_or_refuse(lambda: read_posetrack(written, False), written)
        assert again is None or again.num_frames == found.num_frames


@FUZZ
def test_sequences(path, examples):
    fuzz(check_sequence, st.just(path), FILES, examples=examples)


@FUZZ
def test_evaluated_sequences(path, examples):
    fuzz(check_evaluated, st.just(path), FILES, st.booleans(), examples=examples)


def test_a_video_in_which_nobody_is_found(path):
    content = of_2018() | dict(annotations=[])
    path.write_text(json.dumps(content))
    found = read_posetrack(path, truth=False)
    write_posetrack(path.with_name('written.json'), read_frames(path), found)
    assert read_posetrack(path.with_name('written.json'), truth=False).num_frames == 3
