"""The oracle against figures known by thought: exact codecs lose nothing."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import load_tool
from mmpose.datasets import CocoDataset
from mmpose.datasets.datasets.utils import parse_pose_metainfo

TOOL = Path(__file__).parents[2] / 'tools/analysis_tools/codec_oracle.py'


SKELETON = parse_pose_metainfo(CocoDataset.METAINFO)


@pytest.fixture(scope='module')
def oracle():
    return load_tool('analysis_tools/codec_oracle')


def write(path, pose, **overrides):
    """One person, in a box of 90 x 120 pixels, in COCO format."""
    annotation = dict(
        id=1,
        image_id=1,
        category_id=1,
        bbox=[10, 20, 90, 120],
        area=9000,
        iscrowd=0,
        keypoints=np.ravel(pose).tolist(),
        num_keypoints=17,
    )
    annotation.update(overrides)
    content = dict(
        images=[dict(id=1, file_name='a.jpg', width=200, height=200)],
        annotations=[annotation],
        categories=[dict(id=1, name='person')],
    )
    path.write_text(json.dumps(content))
    return path


def people(outside=0):
    """Keypoints in the box, the first ``outside`` of them far from it."""
    rng = np.random.default_rng(0)
    keypoints = rng.uniform((12, 22), (98, 138), (17, 2))
    keypoints[:outside] = (400, 400)
    return np.c_[keypoints, np.full(17, 2)]


def read_rows(text):
    lines = [line for line in text.splitlines() if line.startswith('| ')][2:]
    return [[cell.strip() for cell in line.strip('|').split('|')] for line in lines]


def test_inside_the_crop_nothing_is_lost(oracle, tmp_path, capsys):
    oracle.main([str(write(tmp_path / 'a.json', people())), '--strides', '32', '4'])
    rows = read_rows(capsys.readouterr().out)
    exact = [row for row in rows if row[0] == 'OffsetHeatmap']
    assert [row[1] for row in exact] == ['32', '4']
    for _, _, ap, inside, _, largest in exact:
        assert float(ap) == float(inside) == 100 and float(largest) < 1e-3
    rival = next(row for row in rows if row[:2] == ['MSRAHeatmap(sigma=1)', '32'])
    assert float(rival[4]) > 1


@pytest.mark.parametrize('keypoints', [{}, dict(keypoints=[]), dict(keypoints=None)])
def test_boxes_of_another_category_are_left_out(oracle, tmp_path, keypoints):
    path = write(tmp_path / 'a.json', people())
    content = json.loads(path.read_text())
    content['categories'].append(dict(id=2, name='box'))
    box = dict(id=2, image_id=1, category_id=2, bbox=[1, 1, 9, 9])
    content['annotations'].append(box | keypoints)
    path.write_text(json.dumps(content))
    dataset, skipped = oracle.load_dataset(path, SKELETON)
    assert [person['id'] for person in dataset['annotations']] == [1] and skipped == 1


def test_keypoints_outside_count_for_ap_alone(oracle, tmp_path, capsys):
    """4 of 17 keypoints are lost: OKS 0.76, a match up to the threshold 0.75."""
    path = write(tmp_path / 'a.json', people(outside=4))
    oracle.main([str(path), '--codec', 'OffsetHeatmap', '--strides', '16'])
    (row,) = read_rows(capsys.readouterr().out)
    assert float(row[2]) == 60 and float(row[3]) == 100


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['--codec', 'Nothing'], 'Nothing is no registered codec'),
        (['--codec', 'OffsetHeatmap(3)'], 'not of the form'),
        (['--codec', 'OffsetHeatmap(radius=0)'], 'radius must be'),
        (['--codec', 'OffsetHeatmap(radius=[1, 2])'], 'one value for each stride'),
        (['--strides', '7'], '7 does not divide'),
    ],
)
def test_faulty_arguments(oracle, tmp_path, arguments, message, capsys):
    with pytest.raises(SystemExit):
        oracle.main([str(write(tmp_path / 'a.json', people())), *arguments])
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    'overrides, message',
    [
        (
            dict(keypoints=[1, 2, 3]),
            "a.json: annotation id 1: 'keypoints' should be 51",
        ),
        (dict(bbox=[0, 0, 0, 5]), 'a.json: no annotation has a box and a labelled'),
    ],
)
def test_faulty_annotations(oracle, tmp_path, overrides, message):
    path = write(tmp_path / 'a.json', people(), **overrides)
    with pytest.raises(SystemExit, match=message):
        oracle.main([str(path)])


def test_missing_file(oracle, tmp_path):
    with pytest.raises(SystemExit, match=r'codec_oracle: .*missing\.json'):
        oracle.main([str(tmp_path / 'missing.json')])
