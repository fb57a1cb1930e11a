"""Keypoints are read by their place; their names in the file show whether it is right.

Wherever an annotation file of keypoints is read: data sets, and evaluation on files.
"""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import load_tool
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from ogn_mm.datasets import CocoKeypointDetectionDataset, ValidatedCocoDataset
from ogn_mm.datasets.keypoint_names import check_keypoint_names
from ogn_mm.evaluation import evaluate_predictions

ROOT = Path(__file__).parents[2]
SKELETON = dict(
    dataset_name='arrows',
    keypoint_info={
        0: dict(name='tip', id=0, color=[0, 0, 0], type='', swap=''),
        1: dict(name='left_end', id=1, color=[0, 0, 0], type='', swap='right_end'),
        2: dict(name='right_end', id=2, color=[0, 0, 0], type='', swap='left_end'),
    },
    skeleton_info={},
    joint_weights=[1.0] * 3,
    sigmas=[0.05] * 3,
)
METAINFO = parse_pose_metainfo(SKELETON)
SAME = ['tip', 'left_end', 'right_end']
SPELT = ['Tip', 'Left End', 'RIGHT-END']
SWAPPED = ['Tip', 'right end', 'left end']
OTHERS = ['head', 'left_end', 'right_end']
ORDER = r"'arrow': 'keypoints' has the names .* number 1 is 'right end', not 'left_end'"
OTHERWISE = 'keypoints named otherwise than in `metainfo`'


def content(names, **fields):
    category = dict(id=1, name='arrow') | fields
    if names is not None:
        category['keypoints'] = names
    return dict(
        images=[dict(id=1, file_name='a.png', width=64, height=48)],
        annotations=[
            dict(
                id=1,
                image_id=1,
                category_id=1,
                bbox=[8, 6, 40, 30],
                area=1200,
                iscrowd=0,
                num_keypoints=3,
                keypoints=[28, 10, 2, 12, 30, 2, 44, 30, 2],
            )
        ],
        categories=[category],
    )


@pytest.fixture
def file(tmp_path):
    """Writes annotations with these names, and their image; gives the file."""

    def write(names):
        cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((48, 64, 3), np.uint8))
        path = tmp_path / 'arrows.json'
        path.write_text(json.dumps(content(names)))
        return str(path)

    return write


@pytest.mark.parametrize(
    'names', [None, [], SAME, SPELT, [1, 2, 3], 'tip'], ids=lambda names: repr(names)
)
def test_names_that_say_nothing_else(names):
    assert not check_keypoint_names(content(names), 'a.json', METAINFO)


@pytest.mark.parametrize(
    'names, count',
    [(OTHERS, 1), (['a', 'b', 'c'], 3), (['tip', 'left_end'], 1), (['end'] * 4, 4)],
)
def test_other_names_are_counted(names, count):
    noted = check_keypoint_names(content(names), 'a.json', METAINFO)
    assert noted == {OTHERWISE: count}


def test_categories_without_people_do_not_count():
    coco = content(SAME)
    coco['categories'].append(dict(id=2, name='bow', keypoints=SWAPPED))
    assert not check_keypoint_names(coco, 'a.json', METAINFO)
    coco['annotations'].append(dict(coco['annotations'][0], id=2, category_id=2))
    with pytest.raises(ValueError, match="a.json: category 'bow': .* another order"):
        check_keypoint_names(coco, 'a.json', METAINFO)
    # a test server's file has nobody
    del coco['annotations']
    with pytest.raises(ValueError, match="a.json: category 'bow': .* another order"):
        check_keypoint_names(coco, 'a.json', METAINFO)


@pytest.mark.parametrize('cls', [ValidatedCocoDataset, CocoKeypointDetectionDataset])
@pytest.mark.parametrize('test_mode', [False, True])
def test_data_sets(cls, test_mode, file, tmp_path):
    kinds = dict(metainfo=SKELETON, test_mode=test_mode)
    if cls is CocoKeypointDetectionDataset:
        kinds['metainfo'] = dict(SKELETON, classes=('arrow',))
    kinds['data_prefix'] = dict(img=str(tmp_path))
    assert not cls(ann_file=file(SPELT), **kinds).noted
    assert cls(ann_file=file(OTHERS), **kinds).noted == {OTHERWISE: 1}
    with pytest.raises(ValueError, match=rf'arrows\.json: category {ORDER}'):
        cls(ann_file=file(SWAPPED), **kinds)


def test_detected_boxes(file, tmp_path):
    found = tmp_path / 'found.json'
    box = dict(image_id=1, category_id=1, bbox=[8, 6, 40, 30], score=0.9)
    found.write_text(json.dumps([box]))
    with pytest.raises(ValueError, match=rf'arrows\.json: category {ORDER}'):
        ValidatedCocoDataset(
            ann_file=file(SWAPPED),
            bbox_file=str(found),
            data_prefix=dict(img=str(tmp_path)),
            metainfo=SKELETON,
            test_mode=True,
        )


def evaluate(file, folder):
    """Run the AP of keypoints on poses that are the annotated ones."""
    (pose,) = content(None)['annotations']
    results = folder / 'poses.json'
    fields = ('image_id', 'category_id', 'keypoints')
    results.write_text(json.dumps([{f: pose[f] for f in fields} | dict(score=0.9)]))
    cfg = Config(dict(test_evaluator=dict(type='CocoMetric')))
    return evaluate_predictions(cfg, file, METAINFO, results, str(folder))


def test_evaluation_on_files(file, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(MMLogger, 'callHandlers', lambda _, r: said.append(r.msg))
    _, figures, _ = evaluate(file(SPELT), tmp_path)
    assert figures['coco/AP'] == pytest.approx(1)
    assert not any(OTHERWISE in line for line in said)
    evaluate(file(OTHERS), tmp_path)
    assert [line for line in said if OTHERWISE in line] == [
        f'{tmp_path}/arrows.json: kept 1 {OTHERWISE}'
    ]
    with pytest.raises(ValueError, match=rf'arrows\.json: category {ORDER}'):
        evaluate(file(SWAPPED), tmp_path)


@pytest.mark.parametrize('name', ['compare_people', 'codec_oracle', 'roi_oracle'])
def test_tools(name, file, tmp_path, monkeypatch):
    skeleton = tmp_path / 'skeleton.py'
    skeleton.write_text(f'dataset_info = {SKELETON!r}\n')
    monkeypatch.syspath_prepend(str(ROOT / 'tools/analysis_tools'))
    arguments = [file(SWAPPED), '--metainfo', str(skeleton)]
    if name == 'compare_people':
        arguments.insert(1, str(tmp_path / 'results.json'))
    with pytest.raises(SystemExit, match=rf'{name}: .*arrows\.json: category {ORDER}'):
        load_tool(f'analysis_tools/{name}').main(arguments)


def test_mmposes_own_files_load(tmp_path):
    """Upstream's skeletons and the names in the files that belong to them."""
    crowdpose = [
        *('left_shoulder', 'right_shoulder', 'left_elbow', 'right_elbow'),
        *('left_wrist', 'right_wrist', 'left_hip', 'right_hip', 'left_knee'),
        *('right_knee', 'left_ankle', 'right_ankle', 'head', 'neck'),
    ]
    posetrack = [
        *('nose', 'head_bottom', 'head_top', 'left_ear', 'right_ear'),
        *('left_shoulder', 'right_shoulder', 'left_elbow', 'right_elbow'),
        *('left_wrist', 'right_wrist', 'left_hip', 'right_hip', 'left_knee'),
        *('right_knee', 'left_ankle', 'right_ankle'),
    ]
    for name, listed, otherwise in (
        ('crowdpose', crowdpose, 1),
        ('posetrack18', posetrack, 0),
    ):
        info = parse_pose_metainfo(dict(from_file=f'configs/_base_/datasets/{name}.py'))
        noted = check_keypoint_names(content(listed), f'{name}.json', info)
        assert noted.total() == otherwise
