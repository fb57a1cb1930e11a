"""Reading and writing PoseTrack's files: what counts, and what is refused."""

import copy
import json

import numpy as np
import pytest
from posetrack_scenes import random_scene, to_2017, to_2018

from ogn_mm.datasets.posetrack import sequence_files
from ogn_mm.evaluation.functional import (
    PoseTrackReport,
    read_frames,
    read_posetrack,
    write_posetrack,
)
from ogn_mm.evaluation.functional.posetrack_sequence import NO_SCORE, check_frames
from ogn_mm.structures.keypoint import POSETRACK17_JOINTS, POSETRACK18_JOINTS

NOSE = POSETRACK17_JOINTS.index('nose')


def person(track_id=0, **fields):
    joints = np.arange(30.0).reshape(15, 2) + 1
    known = dict(track_id=track_id, joints=joints, exist=np.ones(15, bool))
    return known | fields


def found(track_id=0, **fields):
    return person(track_id, scores=np.arange(15) / 16, **fields)


def true(track_id=0, **fields):
    return person(track_id, head=(30, 40), **fields)


def read(content, tmp_path, truth=False):
    path = tmp_path / 'a.json'
    path.write_text(json.dumps(content))
    return read_posetrack(path, truth)


def test_joints_by_name(tmp_path):
    """Any order of 15 or 17 names gives the same; ears are dropped."""
    expected = read(to_2018([[found()]]), tmp_path)
    np.testing.assert_array_equal(expected.keypoints[0], person()['joints'])
    for names in (POSETRACK17_JOINTS, POSETRACK18_JOINTS[::-1]):
        again = read(to_2018([[found()]], names=names), tmp_path)
        np.testing.assert_array_equal(again.keypoints, expected.keypoints)
        np.testing.assert_array_equal(again.scores, expected.scores)


def test_only_zeros_are_absent(tmp_path):
    """A flag of 0 does not hide a place, nor does 0, 0 with another flag."""
    content = to_2018([[true()]])
    keypoints = content['annotations'][0]['keypoints']
    keypoints[:9] = [0, 0, 0, 5, 6, 0, 0, 0, 1]  # nose, head_bottom, head_top
    exist = read(content, tmp_path, truth=True).exist[0]
    assert not exist[NOSE] and exist.sum() == 14


def test_frames_are_listed_ones(tmp_path):
    """Neither ids nor names order them; people stay in the file's order."""
    content = to_2018([[true(1)], [true(2), true(3)], []])
    content['images'].reverse()
    content['annotations'].reverse()
    content['annotations'].append(dict(image_id=77))
    sequence = read(content, tmp_path, truth=True)
    assert sequence.frames.tolist() == [1, 1, 2]
    assert sequence.track_ids.tolist() == [3, 2, 1]
    assert sequence.labelled.tolist() == [False, True, True]


def test_only_the_first_video_counts(tmp_path):
    content = to_2018([[true()], [true()], [true()]])
    content['images'][1]['file_name'] = 'images/val/000002_mpii_test/000000.jpg'
    sequence = read(content, tmp_path, truth=True)
    assert sequence.num_frames == 2 and sequence.frames.tolist() == [0, 1]


def test_missing_scores(tmp_path):
    content = to_2018([[found(0), found(1), found(2)]])
    del content['annotations'][0]['scores']
    content['annotations'][1]['scores'] = []
    content['annotations'][2]['scores'] += [1, 2]  # too many do no harm
    scores = read(content, tmp_path).scores
    assert (scores[:2] == NO_SCORE).all() and scores[2, 0] == 0


def test_head_size(tmp_path):
    content = to_2018([[true(0), true(1)]])
    del content['annotations'][1]['bbox_head']
    sizes = read(content, tmp_path, truth=True).head_sizes
    assert sizes[0] == 30 and np.isnan(sizes[1])


def test_2017_by_hand(tmp_path):
    """People without a list of points go, but their frame is labelled."""
    point = dict(id=[NOSE], x=[0], y=[0])
    twice = dict(id=[NOSE], x=[9], y=[9], score=[0.5])
    frames = [
        [dict(track_id=[4], annopoints=[dict(point=[point, twice])])],
        [dict(track_id=[5], annopoints=[]), dict(track_id=[6])],
        [dict(track_id=[7], annopoints=[dict(point=[])])],
        [],
    ]
    content = dict(annolist=[dict(image=[], annorect=people) for people in frames])
    sequence = read(content, tmp_path)
    assert sequence.labelled.tolist() == [True, True, True, False]
    assert sequence.track_ids.tolist() == [4, 7]
    assert sequence.frames.tolist() == [0, 2]
    # listed at 0, 0 it exists; of two the first counts; it has no score
    assert sequence.exist.sum() == 1 and sequence.exist[0, NOSE]
    assert (sequence.keypoints[0, NOSE] == 0).all()
    assert sequence.scores[0, NOSE] == NO_SCORE


@pytest.mark.parametrize('truth', [False, True])
def test_both_layouts_say_the_same(truth, tmp_path):
    people, predictions, regions = random_scene(np.random.default_rng(0))
    frames = people if truth else predictions
    new, old = (
        read(layout(frames, regions), tmp_path, truth) for layout in (to_2018, to_2017)
    )
    np.testing.assert_equal(
        [np.where(new.exist[..., None], new.keypoints, 0), *new[1:5], new.exist],
        [np.where(old.exist[..., None], old.keypoints, 0), *old[1:5], old.exist],
    )
    np.testing.assert_equal(new.head_sizes, old.head_sizes)
    np.testing.assert_equal(new.regions, old.regions)


@pytest.mark.parametrize('layout', [to_2018, to_2017])
def test_predictions_written_and_read(layout, tmp_path):
    """As the server takes them: ground truth's frames, no labels of theirs."""
    people, predictions, regions = random_scene(np.random.default_rng(1))
    sequence = read(layout(predictions), tmp_path)
    truth = tmp_path / 'truth.json'
    truth.write_text(json.dumps(layout(people, regions)))
    out = tmp_path / 'new/folder/b.json'
    write_posetrack(out, read_frames(truth), sequence)
    again = read_posetrack(out, truth=False)
    np.testing.assert_equal(again[1:6], sequence[1:6])
    np.testing.assert_equal(again.exist, sequence.exist)
    some = sequence.exist
    np.testing.assert_equal(again.scores[some], sequence.scores[some])
    assert 'ignore_regions' not in out.read_text()


def test_no_files(tmp_path):
    with pytest.raises(FileNotFoundError, match='there is no folder with JSON files'):
        sequence_files(tmp_path / 'nowhere')
    with pytest.raises(FileNotFoundError, match=r'a\.json: there is no such file'):
        read_posetrack(tmp_path / 'a.json', truth=True)


def change(content, place, value):
    """Set the value at a path of keys, or delete it."""
    content = copy.deepcopy(content)
    *path, last = place
    entry = content
    for key in path:
        entry = entry[key]
    if value is None:
        del entry[last]
    else:
        entry[last] = value
    return content


PERSON = ('annotations', 0)
FAULTS = [
    (('images',), 3, "field 'images' should be a non-empty list, found 3"),
    (('images', 1, 'id'), 1000, "'id' is not unique"),
    (('images', 0, 'file_name'), '0001.jpg', "'file_name' should end in <number>_"),
    (('images', 0, 'ignore_regions_x'), [[1, 2]], 'at least 3 for a region'),
    (('images', 0, 'ignore_regions_x'), [1, 2, 3], 'should hold lists of'),
    (('categories',), [], "'categories' should have one entry, named 'person'"),
    (('categories', 0, 'keypoints', 0), 'ear', 'found 17, lacking nose'),
    (('annotations',), None, "field 'annotations' should be a list, found nothing"),
    ((*PERSON, 'image_id'), None, "field 'image_id' is missing"),
    ((*PERSON, 'track_id'), None, "field 'track_id' is missing"),
    ((*PERSON, 'track_id'), 'x', "'track_id' should be int, found 'x'"),
    ((*PERSON, 'track_id'), 10**30, "'track_id' is beyond"),
    ((*PERSON, 'track_id'), 1, "frame 0: two people have the 'track_id' 1"),
    ((*PERSON, 'keypoints'), [1, 2, 3], "'keypoints' should be 51 numbers, found 3"),
    ((*PERSON, 'keypoints', 0), 'x', "'keypoints' holds something that is not"),
    ((*PERSON, 'keypoints', 0), float('nan'), "'keypoints' is not finite"),
    ((*PERSON, 'bbox_head'), [1, 2], "'bbox_head' should be 4 numbers, found 2"),
]


@pytest.mark.parametrize('place, value, message', FAULTS)
def test_faulty_files(place, value, message, tmp_path):
    content = to_2018([[true(0), true(1)], []], [[np.eye(3, 2)], []])
    read(content, tmp_path, truth=True)
    with pytest.raises(ValueError, match=message) as error:
        read(change(content, place, value), tmp_path, truth=True)
    assert str(tmp_path / 'a.json') in str(error.value)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize(
    'scores, message',
    [
        ([0.5] * 16, "'scores' should be 17 numbers, found 16"),
        ('high', "'scores' should be list, found 'high'"),
    ],
)
def test_faulty_scores(scores, message, tmp_path):
    content = to_2018([[found(0)]])
    with pytest.raises(ValueError, match=message):
        read(change(content, (*PERSON, 'scores'), scores), tmp_path)


RECT = ('annolist', 0, 'annorect', 0)
POINT = (*RECT, 'annopoints', 0, 'point')


@pytest.mark.parametrize(
    'place, value, message',
    [
        (('annolist',), 3, "field 'annolist' should be a non-empty list, found 3"),
        (('annolist', 0, 'annorect'), None, "field 'annorect' is missing"),
        ((*RECT, 'track_id'), None, "field 'track_id' is missing"),
        ((*RECT, 'track_id'), [1], "frame 0: two people have the 'track_id' 1"),
        ((*RECT, 'track_id'), 0, "'track_id' should be list, found 0"),
        ((*RECT, 'track_id'), [0.5], "'track_id' should be an integer"),
        ((*RECT, 'x1'), [], "'x1' should be 1 numbers, found 0"),
        (POINT, 'x', "'annopoints' should hold a list of points"),
        ((*POINT, 0, 'x'), None, "field 'x' is missing"),
        ((*POINT, 0, 'y'), ['x'], "'y' holds something that is not a number"),
        (('annolist', 0, 'ignore_regions'), 3, "'ignore_regions' should be list"),
        (
            ('annolist', 0, 'ignore_regions', 0, 'point'),
            [dict(x=[1], y=[1])],
            "'point' should hold at least 3 vertices",
        ),
    ],
)
def test_faulty_2017_files(place, value, message, tmp_path):
    content = to_2017([[true(0), true(1)], []], [[np.eye(3, 2)], []])
    read(content, tmp_path, truth=True)
    with pytest.raises(ValueError, match=message) as error:
        read(change(content, place, value), tmp_path, truth=True)
    assert str(tmp_path / 'a.json') in str(error.value)


@pytest.mark.parametrize('text', ['', '[1]', '{"images": '])
def test_not_a_sequence(text, tmp_path):
    path = tmp_path / 'a.json'
    path.write_text(text)
    with pytest.raises(
        ValueError, match=r'a\.json: (is not JSON|should be a JSON obj)'
    ):
        read_posetrack(path, truth=True)


@pytest.mark.parametrize('layout', [to_2018, to_2017])
def test_what_is_labelled(layout, tmp_path):
    """Somebody is listed, and the frame does not say that it is not labelled."""
    frames = [[true()], [true()], [true()], [], []]
    content = layout(frames)
    images = content['images' if layout is to_2018 else 'annolist']
    for image, flag in zip(images, (False, True, None, True, False), strict=True):
        image['is_labeled'] = [flag] if layout is to_2017 else flag
    expected = [False, True, True, False, False]
    assert read(content, tmp_path, truth=True).labelled.tolist() == expected
    # predictions have no labels
    found_ones = read(content, tmp_path).labelled.tolist()
    assert found_ones == [True, True, True, False, False]
    images[1]['is_labeled'] = 'yes'
    with pytest.raises(ValueError, match="'is_labeled' should be 0 or 1, found 'yes'"):
        read(content, tmp_path, truth=True)


@pytest.mark.parametrize('nothing', ['missing', None, []])
def test_people_without_keypoints_head_and_scores(nothing, tmp_path):
    """They have no joints, and need no head box."""
    content = to_2018([[true(0), true(1)]])
    first = content['annotations'][0] | dict(scores=[])
    for field in ('keypoints', 'bbox_head', 'scores'):
        first[field] = nothing
        if nothing == 'missing':
            del first[field]
    content['annotations'][0] = first
    truth = read(content, tmp_path, truth=True)
    assert truth.exist.sum(axis=1).tolist() == [0, 15]
    assert np.isnan(truth.head_sizes[0])
    again = read(content, tmp_path)
    assert (again.scores == NO_SCORE).all()
    assert again.exist.sum(axis=1).tolist() == [0, 15]
    report = PoseTrackReport()
    report.add('a', truth, truth)
    assert report.build()['counts']['num_gt_joints'] == [1] * 15


def test_frames_in_another_order(tmp_path):
    """Frames go together by place: the images' numbers must be the same there."""
    people = [[found(i)] for i in range(3)]
    truth, again = to_2018(people), to_2018(people)
    for image in again['images']:  # other folders and endings do not matter
        image['file_name'] = f'test/1_mpii/{image["file_name"][-10:-4]}.png'
    truth, same = read(truth, tmp_path), read(again, tmp_path)
    check_frames(truth, same)
    again['images'].reverse()
    message = r'frame 0 is 000002\.png, but 000000\.jpg in .*: list those of the'
    with pytest.raises(ValueError, match=message):
        check_frames(truth, read(again, tmp_path))
    # PoseTrack 2017 counts from 1
    old = to_2017(people)
    for number, frame in enumerate(old['annolist']):
        frame['image'][0]['name'] = f'images/bonn_5sec/000001_bonn/{number + 1:08d}.jpg'
    check_frames(truth, read(old, tmp_path))
    old['annolist'].reverse()
    with pytest.raises(ValueError, match=r'frame 0 is 00000003\.jpg, but 000000\.jpg'):
        check_frames(truth, read(old, tmp_path))
    # files of 2017 need not name their images
    for frame in old['annolist']:
        frame['image'] = []
    check_frames(truth, read(old, tmp_path))


def test_what_is_left_out_is_counted(tmp_path):
    content = to_2018([[found()], [found()], [found()]])
    content['images'][2]['file_name'] = 'images/val/000002_mpii_test/000000.jpg'
    content['annotations'].append(dict(image_id=77))
    skipped = +read(content, tmp_path).skipped
    assert skipped == {'images of other videos': 1, 'people of unknown images': 1}
    old = to_2017([[found()]])
    points = old['annolist'][0]['annorect'][0]['annopoints'][0]['point']
    points += [dict(points[3]), dict(points[3], id=[15])]
    assert +read(old, tmp_path).skipped == {
        "points with an 'id' outside 0 to 14": 1,
        "points whose 'id' comes again": 1,
    }


def test_half_a_region_and_an_image_twice(tmp_path):
    content = to_2018([[true()], []], [[np.eye(3, 2)], []])
    name = content['images'][0]['file_name']
    twice = change(content, ('images', 1, 'file_name'), name)
    with pytest.raises(ValueError, match="'file_name' is not unique"):
        read(twice, tmp_path)
    del content['images'][0]['ignore_regions_y']
    with pytest.raises(ValueError, match="'ignore_regions_x' and 'ignore_regions_y'"):
        read(content, tmp_path, truth=True)
