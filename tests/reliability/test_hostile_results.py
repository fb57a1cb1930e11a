"""Damaged predictions, journals and records of the tools: whole, or one sentence."""

import contextlib
import io
import json
import pickle
from functools import cache

import numpy as np
import pytest
from conftest import load_tool
from damaged_json import damaged, damaged_json, lines, read_or_refuse
from fuzzing import FUZZ, fuzz
from hypothesis import strategies as st
from mmengine.config import Config
from mmpose.datasets import CocoDataset
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from ogn_mm.apis.track_journal import TrackJournal
from ogn_mm.datasets.detections import load_detections
from ogn_mm.datasets.generated_people.dataset import read_records
from ogn_mm.evaluation import evaluate_predictions
from ogn_mm.evaluation.metrics.detection_file import (
    journal_folder,
    read_journal,
    write_detections,
)

POSE = [value for k in range(17) for value in (12.5 + k, 30 - k, 2)]
TRUTH = dict(
    images=[dict(id=i, file_name=f'{i}.png', width=64, height=48) for i in (1, 2)],
    annotations=[
        dict(id=i, image_id=i, category_id=1, bbox=[10, 10, 22, 32], area=2000)
        | dict(keypoints=POSE, num_keypoints=17, iscrowd=0)
        for i in (1, 2)
    ],
    categories=[dict(id=1, name='person')],
)
RESULTS = [
    dict(image_id=i, category_id=1, keypoints=POSE, score=0.5 / i) for i in (1, 2)
]
SAMPLES = [
    dict(
        id=i,
        img_id=i,
        category_id=1,
        pred_instances=dict(
            keypoints=np.reshape(POSE, (1, 17, 3))[..., :2],
            keypoint_scores=np.ones((1, 17)),
            bboxes=np.array([[10.0, 10, 32, 42]]),
        ),
        gt_instances=dict(bboxes=np.ones((1, 4)), bbox_scores=np.ones(1)),
    )
    for i in (1, 2)
]
EVALUATOR = Config(dict(test_evaluator=dict(type='PoseNMSCocoMetric')))


@cache
def skeleton():
    return parse_pose_metainfo(CocoDataset.METAINFO)


def check_predictions(folder, name, data):
    path, truth = folder / name, folder / 'truth.json'
    path.write_bytes(data)
    truth.write_text(json.dumps(TRUTH))

    def evaluate():
        with contextlib.redirect_stdout(io.StringIO()):
            return evaluate_predictions(
                EVALUATOR, str(truth), skeleton(), path, str(folder)
            )

    found = read_or_refuse(evaluate, path)
    if found is not None:
        figures = found[1]
        assert all(-1 <= value <= 1 for value in figures.values()), figures


@FUZZ
def test_coco_results(tmp_path, examples):
    files = damaged_json(RESULTS)
    place = st.just(tmp_path), st.just('found.json')
    fuzz(check_predictions, *place, files, examples=examples)


@FUZZ
def test_predictions(tmp_path, examples):
    files = damaged([SAMPLES]).map(pickle.dumps)
    place = st.just(tmp_path), st.just('found.pkl')
    fuzz(check_predictions, *place, files, examples=examples)


DETECTED = [[1, [[1.5, 2, 3, 4, 0.5], [2, 2, 3, 4, 0.25]]], [2, []], [3, [[0] * 5]]]


def check_detection_journal(folder, data):
    out = folder / 'found.json'
    journal = journal_folder(out) / 'rank0.jsonl'
    journal.parent.mkdir(exist_ok=True)
    journal.write_bytes(data)
    people = read_or_refuse(lambda: read_journal(journal.parent), journal)
    if people is None:
        return
    # lost lines are missed
    count = read_or_refuse(
        lambda: write_detections(out, [1, 2, 3], 1), journal_folder(out)
    )
    if count:
        assert {1, 2, 3} <= people.keys()
        found, _ = load_detections(str(out), [1, 2, 3], {1: 'person'})
        assert np.isfinite(found.boxes).all() and np.isfinite(found.scores).all()


@FUZZ
def test_detection_journals(tmp_path, examples):
    files = damaged_json(DETECTED, write=lines)
    fuzz(check_detection_journal, st.just(tmp_path), files, examples=examples)


SETTINGS = dict(input='a.mp4', min_length=1)
FRAMES = [
    dict(frame=i, file_name=f'{i}.jpg', track_ids=[0, 3], bboxes=[[1, 2, 3, 4.5]] * 2)
    | dict(scores=[0.5, 0.25], poses=[[[1, 2, 0.5]] * 2] * 2)
    for i in range(3)
]
BROKEN = dict(frame=3, file_name='3.jpg', broken=True)
STATE = dict(
    place=np.array([3, 2]),
    next_id=np.array(4),
    ids=np.array([0, 3]),
    history=np.ones((2, 3, 2, 3)),
)


def check_track_journal(folder, data, state):
    path, state_path = folder / 'tracks.jsonl', folder / 'tracks_state.npz'
    path.write_bytes(data)
    state_path.write_bytes(state)
    run = read_or_refuse(lambda: TrackJournal(folder, SETTINGS), folder / 'tracks')
    if run is None:
        return
    records = read_or_refuse(lambda: list(run.long_tracks(2, 1)), path)
    if records is None:
        return
    # what is done is there, and what is not will be
    assert [record['frame'] for record, _ in records] == list(range(run.done + 1))
    for _, columns in records:
        count = len(columns['track_ids'])
        assert columns['bboxes'].shape == (count, 4)
        assert columns['poses'].shape == (count, 2, 3)
        assert all(np.isfinite(column).all() for column in columns.values())


def npz(arrays) -> bytes:
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


@st.composite
def states(draw):
    """A tracker's state as a file: sound, damaged, or with other arrays."""
    state = dict(STATE)
    if draw(st.booleans()):
        others = [np.zeros(0), np.array(-1), np.array(['a']), np.array([None])]
        name = draw(st.sampled_from([*state, 'x']))
        state[name] = draw(st.sampled_from([*others, *STATE.values()]))
    if draw(st.integers(0, 3)) == 0:
        state.pop(draw(st.sampled_from(list(state))))
    data = npz(state)
    if draw(st.booleans()):
        place = draw(st.integers(0, len(data)))
        data = data[:place] + draw(st.binary(max_size=2)) + data[place + 2 :]
    return data


@FUZZ
def test_track_journals(tmp_path, examples):
    journals = damaged_json([SETTINGS, *FRAMES, BROKEN], write=lines)
    fuzz(check_track_journal, st.just(tmp_path), journals, states(), examples=examples)


PICTURES = [
    SETTINGS,
    *(
        dict(file_name=f'{i}.jpg', width=64, height=48)
        | dict(poses=[dict(keypoints=POSE, bbox=[1, 2, 3, 4])] * i)
        for i in range(3)
    ),
]
PEOPLE = [
    [i, [dict(bbox=[1, 2, 3, 4], keypoints=POSE, area=9, num_keypoints=17)] * i]
    for i in range(3)
]
RUN = dict(
    row='a',
    seed=0,
    metrics={'coco/AP': 0.5},
    started='2026-01-01T00:00:00',
    finished='2026-01-01T00:10:00',
    matches=dict(
        people=[1], images=[0], scores=[0], hits=['1'] * 10, misses=['0'] * 10
    ),
    curves={},
)
TRACKED = dict(
    runs=[
        dict(
            hash='a',
            seed=0,
            videos=dict(a=1.5),
            metrics=dict(MOTA=1, AP=2.5, IDF1=3, switches=4),
        )
    ]
)
STEPS = dict(steps=[dict(command='a', printed='', plots=[])])
TESTED = dict(metrics={'coco/AP': 0.5}, versions=dict(torch='2'), speed=dict(samples=1))


def read_pictures(path):
    return load('inference').read_journal(path, SETTINGS)


@cache
def load(tool):
    return load_tool(tool)


def read_test(path):
    return load('analysis_tools/report').read_record(path.with_suffix(''))


RECORDS = {
    'pictures': (read_pictures, PICTURES, lines),
    'people': (read_records, PEOPLE, lines),
    'tracking study': (
        lambda path: load('run_tracking_study').read_runs(path),
        TRACKED,
    ),
    'benchmark': (lambda path: load('benchmark').read_steps(path), STEPS),
    'test': (read_test, TESTED),
}


@pytest.mark.parametrize('name', RECORDS)
@FUZZ
def test_records_of_tools(tmp_path, name, examples, monkeypatch):
    monkeypatch.syspath_prepend('tools')
    read, content, *write = RECORDS[name]
    path = tmp_path / 'record.json'
    read(path) if write else None  # modules are loaded before it counts

    def check(data):
        path.write_bytes(data)
        found = read_or_refuse(lambda: read(path), path)
        assert found is None or isinstance(found, (dict, list))

    strategy = damaged_json(content, **dict(zip(['write'], write, strict=False)))
    fuzz(check, strategy, examples=examples)


@FUZZ
def test_results_of_studies(tmp_path, examples, monkeypatch):
    monkeypatch.syspath_prepend('tools')
    from study.record import read_result, unpack_matches

    path = tmp_path / 'result.json'

    def check(data):
        path.write_bytes(data)
        result = read_or_refuse(lambda: read_result(path), path)
        if result is not None:
            matches = unpack_matches(result['matches'])
            shape = 10, len(matches.images)
            assert matches.hits.shape == matches.misses.shape == shape
            assert matches.images.max(initial=0) < len(matches.people)
            assert -1 <= result['metrics']['coco/AP'] <= 1

    fuzz(check, damaged_json(RUN), examples=examples)
