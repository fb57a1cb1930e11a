"""Generated people: correct labels, reproducible bytes, resumable writing."""

import json
import multiprocessing
import os
import runpy
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import xtcocotools.coco
import xtcocotools.cocoeval
from hypothesis import given, settings
from hypothesis import strategies as st
from mmpose.datasets import CocoDataset

from ogn_mm.datasets import ValidatedCocoDataset
from ogn_mm.datasets.generated_people import (
    Body,
    Person,
    Prop,
    generate_dataset,
    generate_image,
    render,
)
from ogn_mm.datasets.generated_people.body import (
    KEYPOINTS,
    LIMB_ANGLES,
    TORSO_ANGLES,
    joints,
    sample_body,
    sample_look,
    sample_pose,
)
from ogn_mm.datasets.generated_people.dataset import SKELETON
from ogn_mm.datasets.generated_people.scene import overlap, sample_things

TOOL = Path(__file__).parents[2] / 'tools' / 'dataset_tools' / 'generate_people.py'
SMALL = dict(num_images=dict(train=6, val=3), size=(96, 72), seed=3)
SWAP = [KEYPOINTS.index(name) for name in KEYPOINTS]
for i, name in enumerate(KEYPOINTS):
    if name.startswith('left'):
        j = KEYPOINTS.index(name.replace('left', 'right'))
        SWAP[i], SWAP[j] = j, i
BLACK = np.zeros((200, 200, 3), np.float32)


def upright(**changes):
    """A person at ease, facing the camera, in the middle of ``BLACK``."""
    rng = np.random.default_rng(0)
    pose = dict.fromkeys(('yaw', 'pitch', 'roll', *TORSO_ANGLES), 0.0)
    for side in ('left_', 'right_'):
        pose |= {side + name: values[2] for name, values in LIMB_ANGLES.items()}
    look = sample_look(rng) | dict(pack=None, stripes=0)
    person = Person(Body(), look, pose, root=(100.0, 100.0), stature=170.0)
    return replace(person, pose=pose | changes)


def labels(things, size=200):
    """The annotations' keypoints (N, 17, 3) and the map of owners."""
    backdrop = np.zeros((size, size, 3), np.float32)
    _, annotations, owners = render(backdrop, things)
    keypoints = [np.reshape(a['keypoints'], (17, 3)) for a in annotations]
    return np.array(keypoints), owners


def flags(keypoints):
    return dict(zip(KEYPOINTS, keypoints[:, 2].astype(int), strict=True))


# ------------------------------------------------------------------ bodies


def test_names_and_skeleton_are_cocos():
    metainfo = CocoDataset._load_metainfo()
    names = metainfo['keypoint_id2name']
    assert [names[k] for k in range(17)] == list(KEYPOINTS)
    links = [(a + 1, b + 1) for a, b in metainfo['skeleton_links']]
    assert sorted(links) == sorted(SKELETON)


@settings(max_examples=50)
@given(st.integers(0, 2**32))
def test_poses_keep_joint_limits_and_limbs_their_lengths(seed):
    rng = np.random.default_rng(seed)
    body, pose = sample_body(rng), sample_pose(rng)
    for name, (low, high, *_) in (TORSO_ANGLES | LIMB_ANGLES).items():
        for key in (name, f'left_{name}', f'right_{name}'):
            assert low <= pose.get(key, low) <= high
    at = joints(body, pose)
    for side in ('left', 'right'):
        for a, b, length in (
            ('shoulder', 'elbow', body.upper_arm),
            ('elbow', 'wrist', body.forearm),
            ('hip', 'knee', body.thigh),
            ('knee', 'ankle', body.shank),
        ):
            distance = np.linalg.norm(at[f'{side}_{a}'] - at[f'{side}_{b}'])
            assert distance == pytest.approx(length)


def test_left_is_on_the_right_of_the_picture_in_a_front_view():
    for yaw, sign in ((0, 1), (180, -1)):
        at = joints(Body(), upright(yaw=yaw).pose)
        for joint in (
            'eye',
            'ear',
            'shoulder',
            'elbow',
            'wrist',
            'hip',
            'knee',
            'ankle',
        ):
            assert sign * (at[f'left_{joint}'][0] - at[f'right_{joint}'][0]) > 0.01
    # knees bend backwards, elbows forwards, a positive yaw turns to the right
    at = joints(Body(), upright(left_knee=90, left_elbow=90).pose)
    assert at['left_ankle'][2] < -0.1 < 0.1 < at['left_wrist'][2]
    assert joints(Body(), upright(yaw=60).pose)['nose'][0] > 0.02


def mirrored(person, width):
    """The same person in a mirror: sides exchanged, turns reversed."""
    pose = {}
    for name, angle in person.pose.items():
        side, _, rest = name.partition('_')
        if side in ('left', 'right'):
            name = f'{"right" if side == "left" else "left"}_{rest}'
        elif name in ('yaw', 'roll', 'bend', 'turn', 'head_turn'):
            angle = -angle
        pose[name] = angle
    x, y = person.root
    return replace(person, pose=pose, root=(width - 1 - x, y))


@settings(max_examples=25)
@given(st.integers(0, 2**32))
def test_a_mirrored_person_has_mirrored_labels(seed):
    rng = np.random.default_rng(seed)
    person = Person(
        sample_body(rng), sample_look(rng), sample_pose(rng), (31.3, 24.1), 60.0
    )
    (there,), seen = labels([person], 64)
    (back,), seen_back = labels([mirrored(person, 64)], 64)
    there, back = there.astype(float), back[SWAP].astype(float)
    inside = (there[:, 2] > 0) & (back[:, 2] > 0)
    np.testing.assert_allclose(there[inside, 0], 63 - back[inside, 0], atol=0.011)
    np.testing.assert_allclose(there[inside, 1], back[inside, 1], atol=0.011)
    # A pixel's rounding may flip at a border, nothing else.
    assert np.mean((seen >= 0) != (seen_back[:, ::-1] >= 0)) < 0.005


# ------------------------------------------------------------------ labels


@pytest.mark.parametrize('index', range(12))
def test_labels_agree_with_the_picture(index):
    size = (160, 120)
    image, annotations, owners = generate_image(0, 0, index, size, 4)
    assert image.shape == (120, 160, 3)
    assert image.dtype == np.uint8
    assert image.std() > 10
    assert 1 <= len(annotations) <= 4
    assert owners.max() < len(annotations)
    for i, annotation in enumerate(annotations):
        left, top, width, height = annotation['bbox']
        x, y, flag = np.reshape(annotation['keypoints'], (17, 3)).T
        labelled = flag > 0
        assert annotation['num_keypoints'] == labelled.sum()
        assert not x[~labelled].any()
        assert not y[~labelled].any()
        assert (x[labelled] >= -0.5).all()
        assert (x[labelled] <= 159.5).all()
        rows, columns = np.rint(y).astype(int), np.rint(x).astype(int)
        on_own = owners[rows, columns] == i
        assert on_own[flag == 2].all()
        own = np.argwhere(owners == i)
        if len(own):
            assert (own.min(0) >= (top, left)).all()
            assert (own.max(0) < (top + height, left + width)).all()
        assert len(own) <= annotation['area'] <= width * height
        assert left >= 0
        assert top >= 0
        assert left + width <= 160
        assert top + height <= 120


def test_front_view_shows_every_keypoint():
    (keypoints,), owners = labels([upright()])
    assert set(flags(keypoints).values()) == {2}
    assert np.mean(owners >= 0) > 0.1


def test_back_view_hides_the_face_and_side_view_the_far_side():
    (keypoints,), _ = labels([upright(yaw=180)])
    hidden = {name for name, flag in flags(keypoints).items() if flag == 1}
    assert hidden - {'left_ear', 'right_ear'} == {'nose', 'left_eye', 'right_eye'}
    (keypoints,), _ = labels([upright(yaw=90)])  # their right side is nearer
    seen = flags(keypoints)
    assert seen['right_ear'] == seen['right_shoulder'] == seen['right_hip'] == 2
    assert seen['left_ear'] == seen['left_shoulder'] == seen['left_hip'] == 1


def test_props_and_people_hide_what_is_behind_them():
    person = upright()
    (before,), _ = labels([person])
    wrist = tuple(before[KEYPOINTS.index('left_wrist'), :2])
    ball = Prop(wrist, wrist, (6.0, 6.0), (0, 0, 255))
    (hidden,), owners = labels([person, ball])
    changed = [k for k in KEYPOINTS if flags(hidden)[k] != flags(before)[k]]
    assert changed == ['left_wrist']
    np.testing.assert_array_equal(hidden[:, :2], before[:, :2])
    assert owners[round(wrist[1]), round(wrist[0])] == -1
    (behind,), _ = labels([ball, person])
    np.testing.assert_array_equal(behind, before)
    (far, near), _ = labels([person, person])
    assert set(far[:, 2]) == {1}
    np.testing.assert_array_equal(near, before)


def test_outside_the_image_is_flag_zero():
    person = replace(upright(), root=(0.0, 100.0))  # the right half is outside
    (keypoints,), _ = labels([person])
    for name, (x, y, flag) in zip(KEYPOINTS, keypoints, strict=True):
        if name.startswith('right'):
            assert (x, y, flag) == (0, 0, 0)
        elif name.startswith('left'):
            assert flag == 2
    far_away = replace(person, root=(-500.0, 100.0))
    assert render(BLACK, [far_away])[1] == []


def test_pictures_and_labels_move_together_below_a_pixel():
    def centroid(root):
        image, (annotation,), _ = render(BLACK, [replace(upright(), root=root)])
        weight = image.sum(axis=2)
        moment = (weight * np.arange(200)).sum() / weight.sum()
        return moment, np.array(annotation['keypoints'][0::3])

    (m0, x0), (m1, x1) = centroid((100.0, 100.0)), centroid((100.3, 100.0))
    np.testing.assert_allclose(x1 - x0, 0.3, atol=0.011)
    assert m1 - m0 == pytest.approx(0.3, abs=0.02)
    assert not BLACK.any()  # the backdrop is not drawn upon


# ------------------------------------------------------- data sets on disk


def files(folder):
    """Contents by path, without the journal."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob('*'))
        if path.is_file() and path.parent.name != 'records'
    }


@pytest.fixture(scope='module')
def reference(tmp_path_factory):
    folder = tmp_path_factory.mktemp('people')
    generate_dataset(folder, **SMALL)
    return folder


def test_an_image_depends_on_its_arguments_alone():
    size = (64, 48)
    image, annotations, _ = generate_image(1, 0, 5, size, 2)
    np.random.seed(9)  # noqa: NPY002 - the global state must not matter
    generate_image(1, 0, 4, size, 2)
    again, same, _ = generate_image(1, 0, 5, size, 2)
    np.testing.assert_array_equal(image, again)
    assert annotations == same
    for other in ((2, 0, 5), (1, 1, 5), (1, 0, 6)):
        assert not np.array_equal(image, generate_image(*other, size, 2)[0])


def test_workers_do_not_change_a_byte(reference, tmp_path):
    generate_dataset(tmp_path, workers=2, **SMALL)
    assert files(tmp_path) == files(reference)
    assert len(files(reference)) == 6 + 3 + 2 + 1


def test_train_and_val_share_nothing(reference):
    pictures = [p.read_bytes() for p in reference.glob('images/*/*.jpg')]
    assert len(set(pictures)) == 9
    poses = []
    for split in ('train', 'val'):
        coco = json.loads((reference / f'annotations/{split}.json').read_text())
        poses += [tuple(person['keypoints']) for person in coco['annotations']]
    assert len(set(poses)) == len(poses)


def test_coco_tools_and_mmpose_read_it(reference):
    ann_file = str(reference / 'annotations' / 'train.json')
    coco = xtcocotools.coco.COCO(ann_file)
    people = coco.loadAnns(coco.getAnnIds())
    found = [
        dict(image_id=p['image_id'], category_id=1, keypoints=p['keypoints'], score=1.0)
        for p in people
    ]
    sigmas = CocoDataset._load_metainfo()['sigmas']
    judge = xtcocotools.cocoeval.COCOeval(
        coco, coco.loadRes(found), 'keypoints', sigmas
    )
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
    assert judge.stats[0] == pytest.approx(1)
    kwargs = dict(
        ann_file=ann_file, data_prefix=dict(img=str(reference / 'images' / 'train'))
    )
    dataset = ValidatedCocoDataset(**kwargs)
    assert len(dataset) == len(CocoDataset(**kwargs)) == len(people)
    assert dataset.skipped == dataset.noted == {}
    for info in dataset:
        assert cv2.imread(info['img_path']).shape == (72, 96, 3)
        assert info['num_keypoints'] == (info['keypoints_visible'] > 0).sum()


def test_resuming_keeps_what_is_there_and_mends_what_is_not(reference, tmp_path):
    generate_dataset(tmp_path, **SMALL)
    kept, lost = (tmp_path / f'images/train/00000{i}.jpg' for i in (0, 2))
    written = kept.stat().st_mtime_ns
    lost.unlink()
    (tmp_path / 'annotations' / 'train.json').unlink()
    records = tmp_path / 'records' / 'train.jsonl'
    records.write_text(records.read_text()[:-40])  # the last line is torn
    generate_dataset(tmp_path, **SMALL)
    assert files(tmp_path) == files(reference)
    assert kept.stat().st_mtime_ns == written


def test_asking_for_more_images_keeps_the_first_ones(reference, tmp_path):
    generate_dataset(tmp_path, **SMALL | dict(num_images=dict(train=2, val=3)))
    generate_dataset(tmp_path, **SMALL)
    assert files(tmp_path) == files(reference)


@pytest.mark.parametrize('limit', [0.2, 0.8])
def test_overlap_is_limited(limit):
    """Boxes of the joints, as placed; a higher limit lets people stand closer."""
    closest = 0
    for seed in range(20):
        things = sample_things(np.random.default_rng(seed), (320, 240), 8, limit)
        boxes = []
        for person in things:
            if isinstance(person, Person):
                points = joints(person.body, person.pose)
                spots = np.array([points[name][:2] for name in KEYPOINTS])
                spots = spots * person.stature + person.root
                boxes.append(np.r_[spots.min(0), spots.max(0)])
        pairs = [overlap(a, b) for i, a in enumerate(boxes) for b in boxes[:i]]
        closest = max([closest, *pairs])
    assert 0.7 * limit < closest < limit + 1e-9


def test_a_killed_run_goes_on_where_it_was(reference, tmp_path):
    fork = multiprocessing.get_context('fork')
    for images in (1, 3, 5):
        process = fork.Process(target=generate_dataset, args=(tmp_path,), kwargs=SMALL)
        process.start()
        while process.is_alive() and len([*tmp_path.glob('images/*/*.jpg')]) < images:
            time.sleep(0.001)
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    generate_dataset(tmp_path, **SMALL)
    assert files(tmp_path) == files(reference)


def test_other_parameters_for_the_same_folder_are_an_error(reference):
    before = files(reference)
    changes = (dict(seed=4), dict(size=(64, 64)), dict(max_people=7))
    for change in (*changes, dict(max_overlap=0.8)):
        with pytest.raises(ValueError, match=r'manifest\.json: .*other parameters'):
            generate_dataset(reference, **SMALL | change)
    assert files(reference) == before


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / 'annotations').mkdir()
    with pytest.raises(ValueError, match='not empty'):
        generate_dataset(tmp_path, **SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ['annotations']


@pytest.mark.parametrize(
    'change',
    [
        dict(seed=-1),
        dict(size=(31, 99)),
        dict(max_people=0),
        dict(max_overlap=0),
        dict(max_overlap=1.5),
        dict(workers=0),
        dict(num_images=dict(train=0)),
    ],
)
def test_parameters_out_of_range(tmp_path, change):
    (name,) = {'train' if key == 'num_images' else key for key in change}
    with pytest.raises(ValueError, match=name):
        generate_dataset(tmp_path, **SMALL | change)
    assert not any(tmp_path.iterdir())


def run_tool(monkeypatch, *arguments):
    monkeypatch.setattr(sys, 'argv', [str(TOOL), *map(str, arguments)])
    runpy.run_path(str(TOOL), run_name='__main__')


def test_command_line(reference, tmp_path, monkeypatch):
    out = tmp_path / 'new' / 'people'
    arguments = ['--out', out, '--num-train', 6, '--num-val', 3, '--seed', 3]
    arguments += ['--size', 96, 72]
    run_tool(monkeypatch, *arguments, '--preview', 5)
    sheet = cv2.imread(str(out / 'preview.png'))
    assert sheet.shape == (2 * 72, 4 * 2 * 96, 3)  # three images, one row of four
    (out / 'preview.png').unlink()
    assert files(out) == files(reference)
    with pytest.raises(SystemExit, match=r'^generate_people: .*other parameters'):
        run_tool(monkeypatch, *arguments, '--max-people', 9)
