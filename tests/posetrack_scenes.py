"""Random videos with people as PoseTrack's files describe them, oddities included."""

import json

import numpy as np

from ogn_mm.structures.keypoint import POSETRACK17_JOINTS, POSETRACK18_JOINTS

NUM_JOINTS = len(POSETRACK17_JOINTS)


def random_scene(rng, num_frames=8, num_people=4):
    """True people, ignored regions and predictions of each frame.

    True coordinates are whole numbers, so that errors of just half a head occur, and
    others are not, so that equal sums of distances do not. People miss joints, or all
    of them; ids are swapped and new; some predictions are doubled or far off; frames
    may be empty on one side.

    Returns:
        tuple[list, list, list]: Of each frame the people and the predictions, dicts of
        ``track_id``, ``joints`` (15, 2), ``exist`` (15,), and ``head`` (w, h) or
        ``scores`` (15,); and the polygons (V, 2).
    """
    place = rng.integers(40, 120, (num_people, 1, 2))
    shape = rng.integers(-40, 40, (num_people, NUM_JOINTS, 2))
    speed = rng.integers(-6, 7, (num_people, 1, 2))
    ids = list(range(num_people))
    truth, found, regions = [], [], []
    for frame in range(num_frames):
        poses = place + shape + frame * speed
        if rng.random() < 0.4:
            first, second = rng.integers(0, num_people, 2)
            ids[first], ids[second] = ids[second], ids[first]
        if rng.random() < 0.3:
            ids[rng.integers(0, num_people)] = 100 + frame
        seen = [i for i in rng.permutation(num_people) if rng.random() < 0.9]
        truth.append([true_person(rng, i, poses[i]) for i in seen])
        hit = [i for i in rng.permutation(num_people) if rng.random() < 0.9]
        found.append([prediction(rng, ids[i], poses[i]) for i in hit])
        found[-1] += [
            prediction(rng, 200 + i, poses[i]) for i in hit if rng.random() < 0.2
        ]
        fate = rng.random()
        if fate < 0.1:
            truth[-1] = []
        elif fate < 0.2:
            found[-1] = []
        corners = rng.integers(0, 160, (rng.choice([0, 0, 0, 1, 2]), 3, 2))
        regions.append(list(corners))
    return truth, found, regions


def true_person(rng, track_id, joints):
    exist = rng.random(NUM_JOINTS) < rng.choice([0.9, 0.9, 0.9, 0])
    head = [(30, 40), (18, 24), (0, 0)][rng.choice(3, p=(0.8, 0.15, 0.05))]
    return dict(track_id=int(track_id), joints=joints, exist=exist, head=head)


def prediction(rng, track_id, joints):
    error = rng.normal(0, 8, (NUM_JOINTS, 2)).round(2)
    error[rng.random(NUM_JOINTS) < 0.1] += 40
    if track_id < 200:  # two as far from one person would be a tie
        error[rng.random(NUM_JOINTS) < 0.1] = 9, 12  # just half of most heads
    exist = rng.random(NUM_JOINTS) < rng.choice([0.95, 0.95, 0.95, 0])
    scores = rng.random(NUM_JOINTS).round(4)
    return dict(
        track_id=int(track_id), joints=joints + error, exist=exist, scores=scores
    )


def to_2018(people, regions=None, names=POSETRACK18_JOINTS, video='000001_mpii_test'):
    """The dictionary of PoseTrack 2018's file, from the people of each frame."""
    images = [
        dict(id=1000 + i, file_name=f'images/val/{video}/{i:06d}.jpg')
        for i in range(len(people))
    ]
    for image, polygons in zip(images, regions or [], strict=False):
        for axis, name in enumerate('xy'):
            image[f'ignore_regions_{name}'] = [p[:, axis].tolist() for p in polygons]
    annotations = [
        dict(image_id=1000 + i, **annotation(person, names))
        for i, frame in enumerate(people)
        for person in frame
    ]
    category = dict(id=1, name='person', keypoints=list(names))
    return dict(images=images, annotations=annotations, categories=[category])


def annotation(person, names):
    keypoints, scores = [], []
    for name in names:
        joint = POSETRACK17_JOINTS.index(name) if name in POSETRACK17_JOINTS else None
        exists = joint is not None and person['exist'][joint]
        keypoints += [*map(float, person['joints'][joint]), 1] if exists else [0, 0, 0]
        has_score = exists and 'scores' in person
        scores.append(float(person['scores'][joint]) if has_score else 0.0)
    record = dict(track_id=person['track_id'], keypoints=keypoints)
    if 'head' in person:
        return record | dict(bbox_head=[3, 4, *person['head']])
    return record | dict(scores=scores)


def to_2017(people, regions=None):
    """The dictionary of PoseTrack 2017's file, from the people of each frame."""

    def point(person, joint):
        x, y = map(float, person['joints'][joint])
        entry = dict(id=[joint], x=[x], y=[y])
        if 'scores' in person:
            entry['score'] = [float(person['scores'][joint])]
        return entry

    def rect(person):
        points = [point(person, j) for j in np.flatnonzero(person['exist']).tolist()]
        corners = {}
        if 'head' in person:
            width, height = person['head']
            corners = dict(x1=[3], y1=[4], x2=[3 + width], y2=[4 + height])
        return dict(
            track_id=[person['track_id']], annopoints=[dict(point=points)], **corners
        )

    def polygon(corners):
        return dict(point=[dict(x=[x], y=[y]) for x, y in corners.tolist()])

    annolist = [
        dict(
            image=[dict(name=f'images/bonn_5sec/000001_bonn/{i:08d}.jpg')],
            annorect=[rect(person) for person in frame],
        )
        for i, frame in enumerate(people)
    ]
    for frame, polygons in zip(annolist, regions or [], strict=False):
        if polygons:
            frame['ignore_regions'] = [polygon(corners) for corners in polygons]
    return dict(annolist=annolist)


def write_scene(root, name, scene, truth_layout=to_2018, found_layout=to_2018):
    """Write a scene's files to root/gt and root/pred."""
    truth, found, regions = scene
    contents = dict(gt=truth_layout(truth, regions), pred=found_layout(found))
    for folder, content in contents.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / f'{name}.json').write_text(json.dumps(content))
