"""PoseTrack's JSON files, one a sequence, read and written.

The layouts of 2017, and of 2018 and 2021, are read as the official evaluator does
(github.com/leonid-pishchulin/poseval).
"""

import json
from collections import Counter

import numpy as np

from ogn_mm.datasets.posetrack.files import (
    FILE_NAME,
    has_value,
    image_names,
    joint_columns,
    labelled_frames,
    list_in,
    read_content,
    read_joints,
    read_polygons,
)
from ogn_mm.engine.atomic_write import write_atomically
from ogn_mm.engine.json_files import Records
from ogn_mm.structures.keypoint import POSETRACK17_JOINTS, POSETRACK18_JOINTS

from .posetrack17_files import choose, people_to_annolist, read_annolist
from .posetrack_sequence import (
    NO_SCORE,
    PoseSequence,
    check_track_ids,
    head_sizes,
)


def read_posetrack(path, truth: bool) -> PoseSequence:
    """Read a sequence in the layout of 2017 or of 2018.

    Args:
        path (str | Path): The JSON file.
        truth (bool): Whether to read head boxes and ignored regions, or scores.

    Returns:
        PoseSequence: Its people; head sizes are NaN, or scores `NO_SCORE`, where they
        are not read.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is unusable; the message names it and the field.
    """
    content, is_of_2017 = read_content(path)
    read = read_annolist if is_of_2017 else read_annotations
    return read(content, str(path), truth)


def read_frames(path) -> list[dict]:
    """What a file says of its frames, with or without people.

    Args:
        path (str | Path): The JSON file.

    Returns:
        list[dict]: The frames that count, in order: entries of ``images``, or in the
        layout of 2017 those of ``annolist``, which have no ``id``.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is unusable; the message names it and the field.
    """
    content, is_of_2017 = read_content(path)
    if is_of_2017:
        entries = list_in(content, 'annolist', str(path), 1)
        Records(entries, 'frame', str(path)).column('image', list | dict)
        return entries
    return find_images(content, str(path))[0].items


def find_images(content, source: str) -> tuple[Records, dict]:
    """The images of the first video that a file of 2018's layout names, and all ids."""
    images = Records(list_in(content, 'images', source, 1), 'image', source)
    ids = images.unique_ids()
    matches = [FILE_NAME.fullmatch(name) for name in image_names(images)]
    images.report(
        [match is None for match in matches],
        "'file_name' should end in <number>_<mpii, bonn or mpiinew>_<anything>/"
        '<frame below 10000>.jpg',
    )
    videos = [match[1] for match in matches if match]
    named = zip(images.items, videos, strict=True)
    return images._replace(items=[image for image, v in named if v == videos[0]]), ids


def read_annotations(content: dict, source: str, truth: bool) -> PoseSequence:
    """The people of a file in the layout of 2018; see :func:`read_posetrack`."""
    images, known_ids = find_images(content, source)
    frame_of = {image['id']: i for i, image in enumerate(images.items)}
    people = Records(list_in(content, 'annotations', source), 'annotation', source)
    image_ids = people.column('image_id', int)
    # annotations of other images do not count
    kept = [i for i, image_id in enumerate(image_ids) if image_id in frame_of]
    frames = np.array([frame_of[image_ids[i]] for i in kept], int)
    order = np.argsort(frames, kind='stable')
    people = people._replace(items=[people.items[kept[i]] for i in order])
    frames = frames[order]
    track_ids = check_track_ids(source, frames, people.column('track_id', int))

    keypoints = read_joints(content, people)
    # A flag of 0 does not hide a keypoint that has a place.
    exist = (keypoints != 0).any(axis=-1)
    sizes = np.full(len(frames), np.nan)
    scores = np.full(exist.shape, NO_SCORE)
    inhabited = np.bincount(frames, minlength=len(images.items)) > 0
    if truth:
        has_box = has_value(people, 'bbox_head')
        boxes = choose(people, has_box).numbers('bbox_head', 4)
        boxes[:, 2:] += boxes[:, :2]
        sizes[has_box] = head_sizes(boxes)
        inhabited &= labelled_frames(images, inhabited)
    else:
        has_scores = has_value(people, 'scores')
        _, columns = joint_columns(content, source)
        scores[has_scores] = read_scores(choose(people, has_scores), columns)
    return PoseSequence(
        source=source,
        num_frames=len(images.items),
        labelled=inhabited,
        frames=frames,
        track_ids=track_ids,
        keypoints=keypoints[..., :2],
        exist=exist,
        scores=scores,
        head_sizes=sizes,
        regions=read_regions(images) if truth else (),
        image_names=[image['file_name'] for image in images.items],
        skipped=Counter(
            {
                'images of other videos': len(known_ids) - len(images.items),
                'people of unknown images': sum(i not in known_ids for i in image_ids),
            }
        ),
    )


def read_scores(people: Records, columns: list[int]) -> np.ndarray:
    """The joints' scores of people who have some, (N, 15)."""
    needed = max(columns) + 1
    lists = people.column('scores', list)
    short = [len(scores) < needed for scores in lists]
    if any(short):
        found = len(lists[short.index(True)])
        people.report(short, f"'scores' should be {needed} numbers, found {found}")
    trimmed = [
        dict(person, scores=scores[:needed])
        for person, scores in zip(people.items, lists, strict=True)
    ]
    return people._replace(items=trimmed).numbers('scores', needed)[:, columns]


def read_regions(images: Records) -> list[tuple[int, np.ndarray]]:
    """Frame and polygon (V, 2) of the ignored regions."""
    return [
        (frame, corners)
        for frame, image in enumerate(images.items)
        for corners in read_polygons(image, images)
    ]


def write_posetrack(path, frames: list[dict], people: PoseSequence) -> None:
    """Write predictions as the official server takes them.

    Args:
        path (str | Path): The JSON file; its folder is made where it is missing.
        frames (list[dict]): As :func:`read_frames` gives them for the sequence's
            ground truth. The predictions get the same layout.
        people (PoseSequence): The people.
    """
    if all('id' in frame for frame in frames):
        content = people_to_annotations(frames, people)
    else:
        content = people_to_annolist(frames, people)
    write_atomically(path, json.dumps(content, separators=(',', ':')))


def people_to_annotations(frames: list[dict], people: PoseSequence) -> dict:
    """Predictions in the layout of 2018, with 17 keypoints and no ears."""
    columns = [POSETRACK18_JOINTS.index(name) for name in POSETRACK17_JOINTS]
    # x, y, flag; a joint that does not exist is 0, 0, 0
    keypoints = np.zeros((len(people.frames), len(POSETRACK18_JOINTS), 3))
    keypoints[:, columns, :2] = np.where(people.exist[..., None], people.keypoints, 0)
    keypoints[:, columns, 2] = people.exist
    scores = np.zeros(keypoints.shape[:2])
    scores[:, columns] = np.where(people.exist, people.scores, 0)
    image_ids = [frame['id'] for frame in frames]
    annotations = [
        dict(
            id=number,
            image_id=image_ids[frame],
            category_id=1,
            track_id=track_id,
            keypoints=pose,
            scores=pose_scores,
        )
        for number, (frame, track_id, pose, pose_scores) in enumerate(
            zip(
                people.frames.tolist(),
                people.track_ids.tolist(),
                keypoints.reshape(-1, 3 * len(POSETRACK18_JOINTS)).tolist(),
                scores.tolist(),
                strict=True,
            )
        )
    ]
    category = dict(id=1, name='person', keypoints=list(POSETRACK18_JOINTS))
    images = [
        {k: v for k, v in frame.items() if not k.startswith('ignore_regions')}
        for frame in frames
    ]
    return dict(images=images, annotations=annotations, categories=[category])
