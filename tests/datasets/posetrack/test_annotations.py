"""PoseTrack's files are read alike, and what cannot be meant is a clear error."""

import json

import numpy as np
import pytest
from tiny_sequences import annolist17, person, pose, sequence18, write

from ogn_mm.datasets.posetrack import read_sequence, sequence_files
from ogn_mm.structures.keypoint import POSETRACK17_JOINTS, POSETRACK18_JOINTS

FIRST = 10_000_010_000


@pytest.fixture
def read(tmp_path):
    return lambda content: read_sequence(write(tmp_path, '000001_bonn_train', content))


def test_2018(read):
    square = dict(
        ignore_regions_x=[[0, 9, 9, 0], []], ignore_regions_y=[[0, 0, 9, 9], []]
    )
    people = [
        person(FIRST, 0, 7, bbox=[1, 2, 3, 4], bbox_head=[5, 6, 7, 8]),
        person(FIRST, 1, 2, bbox=[]),
    ]
    unlabelled = dict(is_labeled=False)
    name, frames, found = read(sequence18(people=people, f0=square, f2=unlabelled))
    assert name == '000001_bonn_train'
    assert [frame['id'] for frame in frames] == [FIRST, FIRST + 1, FIRST + 2]
    assert frames[1]['file_name'] == 'images/train/000001_bonn_train/000001.jpg'
    assert [frame['is_labeled'] for frame in frames] == [True, True, False]
    (region,) = frames[0]['ignore_regions']
    np.testing.assert_array_equal(region, [[0, 0], [9, 0], [9, 9], [0, 9]])
    assert frames[1]['ignore_regions'] == []
    assert [p['track_id'] for p in found] == [7, 2]
    assert found[0]['bbox'] == [1, 2, 3, 4] and found[0]['bbox_head'] == [5, 6, 7, 8]
    assert 'bbox' not in found[1] and 'person_id' not in found[1]
    np.testing.assert_array_equal(found[0]['keypoints'][:, :2], pose()[:, :2])


def test_flags_are_cocos(read):
    """Absent only at (0, 0) with flag 0, as PoseTrack's evaluator has it."""
    joints = pose()
    joints[0, 2] = 0  # at (10, 20)
    joints[5] = 0, 0, 1  # at the origin
    joints[3, :] = 1  # an ear, which does not count
    (one,) = read(sequence18(people=[person(FIRST, 0, 0, joints)])).people
    assert one['keypoints'][[0, 1, 5, 3], 2].tolist() == [1, 2, 2, 0]


def test_joints_go_by_their_names(read):
    """Fifteen joints in another order, as predictions of 2018 may have them."""
    content = sequence18(people=[person(FIRST, 0, 0)])
    order = [POSETRACK18_JOINTS.index(name) for name in POSETRACK17_JOINTS]
    content['categories'][0]['keypoints'] = list(POSETRACK17_JOINTS)
    content['annotations'][0]['keypoints'] = pose()[order].ravel().tolist()
    (one,) = read(content).people
    np.testing.assert_array_equal(one['keypoints'][:, :2], pose()[:, :2])


def test_2021_adds_person_ids_and_people_without_keypoints(read):
    content = sequence18(
        people=[person(FIRST, 0, 3, person_id=1024, bbox=[1, 2, 3, 4])]
    )
    content['images'][0]['has_labeled_person'] = True
    del content['annotations'][0]['keypoints']
    (one,) = read(content).people
    assert one['person_id'] == 1024
    assert not one['keypoints'].any() and one['keypoints'].shape == (17, 3)


@pytest.mark.parametrize('nothing', [None, []])
def test_what_is_not_there_may_be_null_or_empty(read, nothing):
    fields = dict(bbox=nothing, bbox_head=nothing)
    one = person(FIRST, 0, 3, **fields) | dict(keypoints=nothing)
    unsaid = dict(is_labeled=nothing)
    _, frames, (one,) = read(sequence18(people=[one], f0=unsaid, f1=unsaid))
    assert not one['keypoints'].any()
    assert 'bbox' not in one and 'bbox_head' not in one
    # without a flag, frames are labelled in which somebody is listed
    assert [frame['is_labeled'] for frame in frames] == [True, False, True]


def test_the_flag_of_2017(tmp_path):
    content = annolist17([[(0, pose())], [(0, pose())], []])
    for frame, flag in zip(content['annolist'], ([0], 1, []), strict=True):
        frame['is_labeled'] = flag
    frames = read_sequence(write(tmp_path, '020910_mpii', content)).frames
    assert [frame['is_labeled'] for frame in frames] == [False, True, False]


def test_2017_is_like_2018(tmp_path):
    hidden = pose(y=30)
    hidden[5, 2] = 0
    content = annolist17([[(0, pose()), (4, hidden)], []])
    corners = [dict(x=[x], y=[y]) for x, y in ((0, 0), (9, 0), (9, 9))]
    content['annolist'][1]['ignore_regions'] = [dict(point=corners)]
    name, frames, people = read_sequence(write(tmp_path, '020910_mpii', content))
    assert [frame['id'] for frame in frames] == [10209100001, 10209100002]
    assert frames[0]['file_name'] == 'images/bonn_5sec/020910_mpii/00000001.jpg'
    assert [frame['is_labeled'] for frame in frames] == [True, False]
    np.testing.assert_array_equal(
        frames[1]['ignore_regions'], [[[0, 0], [9, 0], [9, 9]]]
    )
    assert [p['track_id'] for p in people] == [0, 4]
    assert people[0]['bbox_head'] == [1, 2, 10, 20]
    for one, joints in zip(people, (pose(), hidden), strict=True):
        np.testing.assert_array_equal(one['keypoints'][:, :2], joints[:, :2])
        np.testing.assert_array_equal(
            one['keypoints'][:, 2], np.where(joints.any(1), joints[:, 2] + 1, 0)
        )


def test_the_sources_of_2017_have_digits(read):
    content = annolist17([[]])
    name = 'images/mpii_5sec/000012_mpiinew_test/00000003.jpg'
    content['annolist'][0]['image'][0]['name'] = name
    assert read(content).frames[0]['id'] == 3_000012_0003


def test_people_of_2017_without_points_and_single_values(tmp_path):
    content = annolist17([[(3, pose())]])
    rect = content['annolist'][0]['annorect'][0]
    rect.update(track_id=3, annopoints=None, x1=1)
    content['annolist'][0]['image'] = dict(
        name=content['annolist'][0]['image'][0]['name']
    )
    (one,) = read_sequence(write(tmp_path, 'a', content)).people
    assert not one['keypoints'].any()


def change(content, *path_and_value):
    *path, last, value = path_and_value
    for key in path:
        content = content[key]
    content[last] = value


@pytest.mark.parametrize(
    'path, value, message',
    [
        (['images'], [], "field 'images' should be a non-empty list, found []"),
        (
            ['images', 1, 'id'],
            FIRST,
            f"image id {FIRST}: 'id' is not unique (and 1 more)",
        ),
        (['images', 0, 'file_name'], 3, "'file_name' should be str, found 3"),
        (
            ['images', 0, 'file_name'],
            'images/train/000001_bonn_train/000001.jpg',
            "'file_name' is not unique, found 'images/tra",
        ),
        (['images', 0, 'is_labeled'], 'no', "'is_labeled' should be 0 or 1"),
        (['annotations', 0, 'keypoints'], 0, "'keypoints' should be list, found 0"),
        (['images', 0, 'ignore_regions_x'], [[1, 2, 3]], "'ignore_regions_x' and"),
        (['images', 0, 'ignore_regions_y'], 5, "'ignore_regions_x' and"),
        (['annotations', 1, 'id'], 100 * FIRST, "'id' is not unique"),
        (['annotations', 0, 'image_id'], 5, "'image_id' is unknown"),
        (['annotations', 0, 'track_id'], None, "'track_id' should be int, found None"),
        (['annotations', 1, 'track_id'], 0, "'track_id' is not unique in its image"),
        (['annotations', 0, 'keypoints'], [1, 2, 1], 'should be 51 numbers, found 3'),
        (['annotations', 0, 'keypoints', 2], 5, "'keypoints' has a flag other than"),
        (['annotations', 0, 'keypoints', 2], 'x', 'something that is not a number'),
        (['annotations', 1, 'bbox'], [1, 2, 3], "'bbox' should be 4 numbers, found 3"),
        (['annotations', 1, 'bbox'], [1, 2, -3, 4], "'bbox' has a negative size"),
        (['categories'], [], "'categories' should have one entry, named 'person'"),
        (['categories', 0, 'keypoints', 1], 'tail', 'found 17, lacking head_bottom'),
    ],
)
def test_errors_of_2018_name_file_record_and_field(read, path, value, message):
    content = sequence18(people=[person(FIRST, 0, 0), person(FIRST, 1, 1)])
    change(content, *path, value)
    with pytest.raises(ValueError, match=r'000001_bonn_train\.json: ') as error:
        read(content)
    assert message in str(error.value)


RECT = ['annolist', 0, 'annorect', 0]
POINTS = [*RECT, 'annopoints', 0, 'point']


@pytest.mark.parametrize(
    'path, value, message',
    [
        (['annolist'], {}, "field 'annolist' should be a non-empty list, found {}"),
        (['annolist', 0], 3, 'frame 0: should be a JSON object, found 3'),
        (
            ['annolist', 0, 'image'],
            [],
            "frame 0: 'image' should be one value, found []",
        ),
        (
            ['annolist', 0, 'image', 0, 'name'],
            'a.jpg',
            "'name' should end in NUMBER_SOUR",
        ),
        (
            ['annolist', 0, 'annorect'],
            4,
            "frame 0: 'annorect' should be a list, found 4",
        ),
        (
            ['annolist', 0, 'ignore_regions'],
            [dict(point=[dict(x=[1], y=[1])])],
            '3 points',
        ),
        ([*RECT, 'track_id'], [], "person 0: 'track_id' should be one value"),
        (
            [*RECT, 'track_id'],
            ['a'],
            "person 0: field 'track_id' should be int, found 'a'",
        ),
        (
            [*RECT, 'y2'],
            [None],
            "person 0: 'x1, y1, x2, y2' should hold finite numbers",
        ),
        ([*POINTS, 0, 'id'], [15], "person 0: 'point' has an 'id' outside 0 to 14"),
        ([*POINTS, 0, 'id'], [1], "person 0: 'point' has an 'id' twice"),
        ([*POINTS, 0, 'x'], [float('nan')], "person 0: 'point' should hold finite"),
        (
            ['annolist', 1, 'image', 0, 'name'],
            '020910_mpii/1.jpg',
            "'id' is not unique",
        ),
        ([*RECT, 'track_id'], [1], "'track_id' is not unique in its image"),
    ],
)
def test_errors_of_2017_name_file_record_and_field(tmp_path, path, value, message):
    content = annolist17([[(0, pose()), (1, pose())], []])
    change(content, *path, value)
    with pytest.raises(ValueError, match=r'020910_mpii\.json: ') as error:
        read_sequence(write(tmp_path, '020910_mpii', content))
    assert message in str(error.value)


def test_no_file_no_json_no_object(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'none\.json: there is no such file'):
        read_sequence(tmp_path / 'none.json')
    with pytest.raises(FileNotFoundError, match='there is no folder with JSON files'):
        sequence_files(tmp_path)
    (tmp_path / 'torn.json').write_text('{"images": [')
    with pytest.raises(ValueError, match=r'torn\.json: is not JSON'):
        read_sequence(tmp_path / 'torn.json')
    with pytest.raises(ValueError, match=r'list\.json: should be a JSON object'):
        read_sequence(write(tmp_path, 'list', json.loads('[]')))
