"""Videos of generated people: smooth motion, right labels, reproducible bytes."""

import json
from dataclasses import replace
from itertools import islice

import cv2
import numpy as np
import pytest
from conftest import load_tool
from hypothesis import given, settings
from hypothesis import strategies as st

from ogn_mm.datasets import PoseTrackVideoDataset, ValidatedCocoDataset
from ogn_mm.datasets.generated_people import (
    Body,
    Person,
    Prop,
    generate_video,
    generate_videos,
)
from ogn_mm.datasets.generated_people.body import joints, sample_look, sample_pose
from ogn_mm.datasets.generated_people.motion import (
    Camera,
    Mover,
    limits_of,
    sample_idling,
    sample_walk,
    seen_by,
)
from ogn_mm.datasets.generated_people.video import (
    FRAME_RATE,
    VideoScene,
    frame_at,
    ignore_region,
    label,
    picture_at,
    sample_scene,
)
from ogn_mm.datasets.posetrack import read_sequence
from ogn_mm.structures.keypoint import POSETRACK18_JOINTS

SMALL = dict(num_videos=dict(train=2, val=1), frames=3, size=(64, 48), seed=3)
SIZE = (96, 72)


def mover(seed=0, walks=True, **changes):
    rng = np.random.default_rng(seed)
    pose = sample_pose(rng)
    drawn = sample_walk(rng, pose, 1) if walks else sample_idling(rng, pose)
    pose, swing, cadence, speed = drawn
    person = Person(Body(), sample_look(rng), pose)
    values = dict(feet=(40.0, 70.0), horizon=20.0, height_share=1.0) | changes
    return Mover(person, swing, cadence, speed, **values)


def still_scene(*people, props=(), **changes):
    """People who stand before black, under a camera at rest."""
    backdrop = np.zeros((2 * SIZE[1], 2 * SIZE[0], 3), np.float32)
    light = np.array((0.35, -0.55, 0.76))
    scene = VideoScene(
        backdrop, list(people), list(props), Camera(SIZE), light, 0.0, None
    )
    return replace(scene, **changes)


def standing(x, stature=50.0, yaw=0.0, seed=0):
    """Somebody upright whose feet are at x, and who does not move."""
    someone = mover(seed)
    pose = dict.fromkeys(someone.person.pose, 0.0) | dict(yaw=yaw)
    person = replace(someone.person, pose=pose)
    feet = (float(x), 15 + stature)
    return replace(someone, person=person, swing={}, speed=0.0, feet=feet, horizon=15.0)


def flags_of(scene, index):
    _, owners, people = frame_at(scene, 0)
    fields = label(*people[index], owners == index)
    if fields is None:
        return np.zeros(17)
    return np.reshape(fields['keypoints'], (17, 3))[:, 2]


# ------------------------------------------------------------------- motion


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.booleans(), st.floats(0, 10))
def test_motion_is_smooth_and_within_joint_limits(seed, walks, time):
    """In 1/100 s nobody turns by more than 20 degrees, or moves by 1/20 stature."""
    someone = mover(seed, walks)
    before, after = someone.at(time), someone.at(time + 0.01)
    for name, angle in after.pose.items():
        if name in ('yaw', 'pitch', 'roll'):
            continue
        low, high = limits_of(name)
        assert low <= angle <= high
        assert abs(angle - before.pose[name]) < 20
    moved = np.linalg.norm(np.subtract(after.root, before.root))
    assert moved < 0.05 * before.stature
    assert after.stature == pytest.approx(before.stature, rel=0.01)


def test_people_walk_where_they_face():
    person = mover().person
    for yaw, way, growth in ((90, 1, 0), (-90, -1, 0), (0, 0, 1), (180, 0, -1)):
        turned = replace(person, pose=person.pose | dict(yaw=yaw))
        someone = replace(mover(), person=turned, swing={})
        a, b = someone.at(0), someone.at(1)
        assert np.sign(round(b.root[0] - a.root[0], 6)) == way
        assert np.sign(round(b.stature - a.stature, 6)) == growth


def test_a_step_takes_the_feet_forward():
    """One leg is ahead of the other, half a stride later the other way round."""
    someone = mover()
    halves = [0.25 / someone.cadence, 0.75 / someone.cadence]
    gaps = []
    for time in halves:
        at = joints(Body(), someone.at(time).pose | dict(yaw=90.0, turn=0.0))
        gaps.append(at['left_ankle'][0] - at['right_ankle'][0])
    assert gaps[0] > 0.1 and gaps[1] < -0.1


def test_the_camera_sees_places_where_it_says():
    camera = Camera(SIZE, pan=(30.0, -4.0), zoom=0.2, shake=1.0)
    person = Person(Body(), {}, {}, root=(50.0, 40.0), stature=20.0)
    scale, shift = camera.at(0.5)
    seen = seen_by(camera, person, 0.5)
    np.testing.assert_allclose(seen.root, scale * np.array((50, 40)) + shift)
    assert seen.stature == pytest.approx(20 * np.exp(0.1), rel=1e-3)
    assert Camera(SIZE).at(3.0)[0] == 1 and not Camera(SIZE).at(3.0)[1].any()
    # panning to the right moves things to the left
    shift = Camera(SIZE, pan=(30.0, 0.0)).at(0.1)[1]
    np.testing.assert_allclose(shift, [-3, 0], atol=0.01)


@pytest.mark.parametrize('seed', range(3))
def test_an_hour_does_not_lead_to_infinity(seed):
    scene = sample_scene(np.random.default_rng(seed), SIZE, 5)
    image, _, _ = picture_at(scene, 3600.0)
    assert np.isfinite(image).all() and image.std() > 1
    for someone in scene.movers:
        assert 1 < someone.at(3600.0).stature < 500


def test_backdrop_ignore_region_and_people_move_together():
    """A white square of the backdrop is where the region around it is."""
    scene = still_scene(
        camera=Camera(SIZE, pan=(25.0, 10.0), zoom=0.3), ignored=(50, 30, 70, 40)
    )
    x, y = SIZE[0] // 2, SIZE[1] // 2
    scene.backdrop[y + 30 : y + 41, x + 50 : x + 71] = 255
    for frame in (0, 6, 12):
        image, _, _ = picture_at(scene, frame / FRAME_RATE)
        left, top, width, height = cv2.boundingRect((image[..., 0] > 127).astype('u1'))
        (x1, y1), _, (x2, y2), _ = ignore_region(scene, frame)
        np.testing.assert_allclose(
            (left, top, left + width - 1, top + height - 1), (x1, y1, x2, y2), atol=1
        )


# ------------------------------------------------------------------- labels


def test_who_is_nearer_hides_the_other():
    far, near = standing(48, 40, yaw=90), standing(48, 52, seed=1)
    assert flags_of(still_scene(far), 0).sum() == 15
    hidden = flags_of(still_scene(near, far), 1)
    assert hidden.sum() < 5
    assert flags_of(still_scene(near, far), 0).sum() == 15
    beside = standing(15, 40)
    assert flags_of(still_scene(near, beside), 1).sum() == 15


def test_own_body_does_not_hide_but_props_do():
    scene = still_scene(standing(48, yaw=90))  # from the side
    assert flags_of(scene, 0).sum() == 15
    ears = [POSETRACK18_JOINTS.index(f'{side}_ear') for side in ('left', 'right')]
    assert not flags_of(scene, 0)[ears].any()
    wall = Prop((0.0, 60.0), (96.0, 60.0), (12.0, 12.0), (9, 9, 9))
    flags = flags_of(replace(scene, props=[(100.0, wall)]), 0)
    names = [POSETRACK18_JOINTS[k] for k in np.flatnonzero(flags)]
    assert 'nose' in names and not any('ankle' in n or 'knee' in n for n in names)
    assert flags_of(replace(scene, props=[(1.0, wall)]), 0).sum() == 15  # behind


def test_joints_outside_the_picture_are_not_labelled():
    _, owners, people = frame_at(still_scene(standing(0)), 0)
    fields = label(*people[0], owners == 0)
    keypoints = np.reshape(fields['keypoints'], (17, 3))
    assert 0 < keypoints[:, 2].sum() < 15
    assert not keypoints[keypoints[:, 2] == 0].any()
    left, top, width, height = fields['bbox']
    assert left == 0 and width < 20
    # the head's size does not change at the border
    _, owners, people = frame_at(still_scene(standing(48)), 0)
    whole = label(*people[0], owners == 0)
    np.testing.assert_allclose(
        fields['bbox_head'][2:], whole['bbox_head'][2:], atol=0.21
    )


def test_head_joints_lie_at_the_heads_ends():
    _, owners, people = frame_at(still_scene(standing(48)), 0)
    fields = label(*people[0], owners == 0)
    at = dict(
        zip(POSETRACK18_JOINTS, np.reshape(fields['keypoints'], (17, 3)), strict=True)
    )
    assert abs(at['head_top'][1] - fields['bbox'][1]) <= 1.5
    shoulders = (at['left_shoulder'] + at['right_shoulder']) / 2
    assert at['nose'][1] < at['head_bottom'][1] < shoulders[1]
    x, y, width, height = fields['bbox_head']
    assert y == pytest.approx(at['head_top'][1], abs=0.11)
    assert y + height == pytest.approx(at['head_bottom'][1], abs=0.21)
    assert x < at['nose'][0] < x + width


@pytest.mark.parametrize('index', range(3))
def test_labels_agree_with_the_pictures(index):
    scene = sample_scene(np.random.default_rng(index), SIZE, 5)
    tracks = set()
    for frame in (0, 8):
        _, owners, people = frame_at(scene, frame)
        for track, (person, silhouette) in people.items():
            fields = label(person, silhouette, owners == track)
            if fields is None:
                assert (owners == track).mean() < 0.02  # a hand, a foot
                continue
            tracks.add(track)
            left, top, width, height = fields['bbox']
            rows, columns = np.nonzero(silhouette)
            assert (left, left + width) == (columns.min(), columns.max() + 1)
            assert (top, top + height) == (rows.min(), rows.max() + 1)
            for x, y, flag in np.reshape(fields['keypoints'], (17, 3)):
                if flag:
                    x, y = round(x), round(y)
                    near = owners[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
                    assert (near == track).any()
    assert tracks and tracks <= set(range(len(scene.movers)))


def test_blur_is_the_mean_over_the_exposure():
    scene = still_scene(replace(mover(), feet=(30.0, 65.0)), standing(70))
    sharp, owners, _ = frame_at(scene, 3)
    blurred, same, _ = frame_at(replace(scene, exposure=0.5), 3)
    np.testing.assert_array_equal(owners, same)  # labels are those of the middle
    moments = [(3 + m) / FRAME_RATE for m in (-0.25, -0.125, 0, 0.125, 0.25)]
    mean = np.mean([picture_at(scene, time)[0] for time in moments], axis=0)
    np.testing.assert_allclose(blurred, mean, atol=1e-3)
    stands = np.s_[:, 60:]
    np.testing.assert_allclose(blurred[stands], sharp[stands], atol=1e-3)
    assert np.abs(blurred - sharp).max() > 20


# ------------------------------------------------------------------- videos


def test_a_video_depends_on_its_arguments_alone():
    arguments = (1, 0, 2)
    short = list(generate_video(*arguments, 2, (64, 48), 3))
    long = list(islice(generate_video(*arguments, 9, (64, 48), 3), 2))
    for (image, people, region), (same, others, there) in zip(short, long, strict=True):
        np.testing.assert_array_equal(image, same)
        assert image.shape == (48, 64, 3) and image.dtype == np.uint8
        assert people == others and region == there
    for other in ((2, 0, 2), (1, 1, 2), (1, 0, 3)):
        image, _, _ = next(generate_video(*other, 1, (64, 48), 3))
        assert not np.array_equal(image, short[0][0])


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob('*'))
        if path.is_file()
    }


@pytest.fixture(scope='module')
def reference(tmp_path_factory):
    folder = tmp_path_factory.mktemp('videos')
    generate_videos(folder, **SMALL)
    return folder


def test_workers_and_interruptions_do_not_change_a_byte(reference, tmp_path):
    fewer = SMALL | dict(num_videos=dict(train=1, val=1))
    generate_videos(tmp_path, **fewer)
    (tmp_path / 'images/train/000001_mpii_train/000001.jpg').unlink()
    (tmp_path / 'annotations/val/000001_mpii_val.json').unlink()
    # half of a frame that was being written
    (tmp_path / 'images/train/000001_mpii_train/.000001.jpg.partial').write_bytes(
        b'torn'
    )
    generate_videos(tmp_path, workers=2, **SMALL)
    assert files(tmp_path) == files(reference)
    # 9 frames, 3 videos, 2 splits and the manifest
    assert len(files(reference)) == 9 + 3 + 2 + 1


def test_it_is_read_as_posetrack_and_as_coco(reference):
    path = reference / 'annotations/train/000002_mpii_train.json'
    name, frames, people = read_sequence(path)
    assert name == '000002_mpii_train'
    assert [frame['id'] for frame in frames] == [10000020000 + i for i in range(3)]
    assert frames[2]['file_name'] == 'images/train/000002_mpii_train/000002.jpg'
    content = json.loads(path.read_text())
    assert {image['nframes'] for image in content['images']} == {3}
    assert {image['vid_id'] for image in content['images']} == {'000002'}
    assert all(p['bbox_head'][2] > 0 and 'track_id' in p for p in people)

    dataset = PoseTrackVideoDataset('annotations/train', str(reference))
    assert dataset.video_lengths == [3, 3]
    assert dataset[0]['inputs'].shape == (3, 48, 64)
    training = ValidatedCocoDataset(
        ann_file=str(reference / 'annotations/train.json'),
        data_prefix=dict(img=str(reference)),
        metainfo=dict(from_file='configs/_base_/datasets/posetrack18.py'),
    )
    shown = sum(len(dataset[i]['data_samples'].gt_instances) for i in range(6))
    assert 0 < len(training) <= shown


def test_other_parameters_and_other_folders_are_errors(reference, tmp_path):
    before = files(reference)
    for change in (dict(seed=4), dict(frames=4), dict(max_people=2)):
        with pytest.raises(ValueError, match=r'manifest\.json: .*other parameters'):
            generate_videos(reference, **SMALL | change)
    assert files(reference) == before
    (tmp_path / 'something').touch()
    with pytest.raises(ValueError, match='not empty'):
        generate_videos(tmp_path, **SMALL)


@pytest.mark.parametrize(
    'change, name',
    [
        (dict(seed=-1), 'seed'),
        (dict(size=(31, 99)), 'size'),
        (dict(max_people=1), 'max_people'),
        (dict(frames=0), 'frames'),
        (dict(frames=10000), 'frames'),
        (dict(workers=0), 'workers'),
        (dict(num_videos=dict(val=0)), 'val'),
    ],
)
def test_parameters_out_of_range(tmp_path, change, name):
    with pytest.raises(ValueError, match=name):
        generate_videos(tmp_path, **SMALL | change)
    assert not any(tmp_path.iterdir())


def test_command_line(reference, tmp_path):
    tool = load_tool('dataset_tools/generate_videos')
    options = '--num-train 2 --num-val 1 --frames 3 --seed 3 --size 64 48 --workers 1'
    tool.main(['--out', str(tmp_path), *options.split(), '--preview', '1'])
    sheet = cv2.imread(str(tmp_path / 'preview.png'))
    assert sheet.shape == (48, 6 * 64, 3)
    (tmp_path / 'preview.png').unlink()
    assert files(tmp_path) == files(reference)
    with pytest.raises(SystemExit, match='generate_videos: frames should be at least'):
        tool.main(['--out', str(tmp_path), '--frames', '0'])
