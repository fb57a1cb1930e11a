"""Small sequences in PoseTrack's formats, made of plain numbers."""

import json

import cv2
import numpy as np

from ogn_mm.structures.keypoint import POSETRACK17_JOINTS, POSETRACK18_JOINTS

WIDTH, HEIGHT = 64, 48


def pose(x=10.0, y=20.0):
    """17 joints on a diagonal from (x, y) on, 1 pixel apart; the ears are absent."""
    joints = np.c_[x + np.arange(17), y + np.arange(17), np.ones(17)]
    joints[3:5] = 0
    return joints


def person(image_id, number, track_id, joints=None, **fields):
    joints = pose() if joints is None else joints
    ids = dict(id=100 * image_id + number, image_id=image_id, track_id=track_id)
    return dict(**ids, keypoints=joints.ravel().tolist(), category_id=1, **fields)


def sequence18(name='000001_bonn_train', frames=3, people=(), split='train', **images):
    """PoseTrack 2018's dictionary; ``images`` are fields by frame number, as f0=..."""
    number = int(name.split('_')[0])
    records = []
    for i in range(frames):
        image_id = 10_000_000_000 + number * 10_000 + i
        file_name = f'images/{split}/{name}/{i:06d}.jpg'
        record = dict(id=image_id, file_name=file_name, is_labeled=True)
        records.append(record | images.get(f'f{i}', {}))
    category = dict(id=1, name='person', keypoints=list(POSETRACK18_JOINTS))
    return dict(images=records, annotations=list(people), categories=[category])


def annolist17(frames):
    """PoseTrack 2017's dictionary from the people of each frame as (track, joints)."""

    def point(k, joint):
        x, y, flag = joint.tolist()
        return dict(id=[k], x=[x], y=[y], is_visible=[int(flag)])

    def rect(track, joints):
        points = [
            point(k, joints[POSETRACK18_JOINTS.index(name)])
            for k, name in enumerate(POSETRACK17_JOINTS)
            if joints[POSETRACK18_JOINTS.index(name)].any()
        ]
        head = dict(x1=[1], y1=[2], x2=[11], y2=[22])
        return dict(track_id=[track], annopoints=[dict(point=points)], **head)

    return dict(
        annolist=[
            dict(
                image=[dict(name=f'images/bonn_5sec/020910_mpii/{i + 1:08d}.jpg')],
                annorect=[rect(*one) for one in people],
            )
            for i, people in enumerate(frames)
        ]
    )


def write(folder, name, content):
    """Write a sequence's file, and black images where there are none."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f'{name}.json').write_text(json.dumps(content))
    return folder / f'{name}.json'


def write_images(root, content, size=(WIDTH, HEIGHT)):
    for image in content['images']:
        path = root / image['file_name']
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((*size[::-1], 3), image['id'] % 200, np.uint8))
