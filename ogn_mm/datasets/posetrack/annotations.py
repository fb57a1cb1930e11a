"""Reading and checking PoseTrack's files, one JSON a sequence, of every year.

PoseTrack 2018 and 2021 look like COCO: ``images``, ``annotations``, ``categories``.
Since 2021 people may have a ``person_id``, which is the same in all sequences, and
need no keypoints. Files of 2017 have one key, ``annolist``, a list of frames, in which
every single value lies in a list of its own. All come out alike here.
"""

from collections import Counter
from itertools import compress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ogn_mm.engine.json_files import Records
from ogn_mm.structures.keypoint import POSETRACK17_JOINTS, POSETRACK18_JOINTS

from .annolist import ABSENT, HIDDEN, VISIBLE, read_annolist
from .files import (
    has_value,
    image_names,
    labelled_frames,
    list_in,
    read_content,
    read_joints,
    read_polygons,
)


class Sequence(NamedTuple):
    """An annotated video.

    ``name`` is the file's without its ending. ``frames`` are in their order: dicts of
    ``id``, ``file_name``, ``is_labeled``, by the rule of `labelled_frames`, and
    ``ignore_regions``, a list of polygons' corners, (V, 2), in pixels. ``people`` are
    dicts of ``id``, ``image_id``, ``track_id``, ``keypoints`` as x, y and flag in the
    order of `POSETRACK18_JOINTS`, (17, 3), and, where the file has them, ``bbox`` and
    ``bbox_head`` as x, y, width, height, and ``person_id``. Flags are COCO's: 2 for
    visible joints, 1 for joints with a place but not visible, and 0, at (0, 0), for
    absent ones. PoseTrack's evaluator counts 1 and 2 alike.
    """

    name: str
    frames: list[dict]
    people: list[dict]


def read_sequence(path: str | Path) -> Sequence:
    """Read and check the annotations of a sequence.

    Args:
        path (str | Path): A JSON file of PoseTrack 2017, 2018 or 2021.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It holds something that cannot be meant; the message names the
            file, the record and the field.
    """
    source = str(path)
    content, is_of_2017 = read_content(path)
    read = read_annolist if is_of_2017 else read_images
    frames, people = read(content, source)
    check_tracks(people, source)
    return Sequence(Path(path).stem, frames, people)


def check_tracks(people: list[dict], source: str) -> None:
    """Nobody can be in a frame twice."""
    keys = [(person['image_id'], person['track_id']) for person in people]
    counts = Counter(keys)
    Records(people, 'annotation', source).report(
        [counts[key] > 1 for key in keys], "'track_id' is not unique in its image"
    )


def read_images(content: dict, source: str) -> tuple[list, list]:
    """Frames and people of a file of PoseTrack 2018 or 2021."""
    # test sequences may come without annotations
    content = dict(annotations=[]) | content
    images = Records(list_in(content, 'images', source, 1), 'image', source)
    ids = images.unique_ids()
    names = image_names(images)
    people = Records(list_in(content, 'annotations', source), 'annotation', source)
    people.unique_ids()
    image_ids = people.column('image_id', int)
    people.report([i not in ids for i in image_ids], "'image_id' is unknown")
    people.column('track_id', int)
    people.having('person_id').column('person_id', int)
    keypoints = read_keypoints(content, people)
    boxes = {name: read_boxes(people, name) for name in ('bbox', 'bbox_head')}
    inhabited = set(image_ids)
    labelled = labelled_frames(images, [i in inhabited for i in ids])
    frames = [
        dict(
            id=image['id'],
            file_name=name,
            is_labeled=flag,
            ignore_regions=[r for r in read_polygons(image, images) if len(r)],
        )
        for image, name, flag in zip(images.items, names, labelled, strict=True)
    ]
    kept = ('id', 'image_id', 'track_id', 'person_id')
    found = []
    for i, person in enumerate(people.items):
        fields = {name: person[name] for name in kept if name in person}
        fields |= {name: box[i] for name, box in boxes.items() if box[i] is not None}
        found.append(fields | dict(keypoints=keypoints[i]))
    return frames, found


def read_keypoints(content: dict, people: Records) -> np.ndarray:
    """All people's keypoints by their names, (N, 17, 3); the ears are absent."""
    result = np.zeros((len(people.items), len(POSETRACK18_JOINTS), 3))
    if not people.items:
        return result
    values = read_joints(content, people)
    unknown = ~np.isin(values[..., 2], (0, 1, 2)).all(axis=1)
    people.report(unknown, "'keypoints' has a flag other than 0, 1, 2")
    there = values.any(axis=-1)
    flags = np.where(values[..., 2] > 0, VISIBLE, HIDDEN)
    values[..., 2] = np.where(there, flags, ABSENT)
    rows = [POSETRACK18_JOINTS.index(name) for name in POSETRACK17_JOINTS]
    result[:, rows] = values
    return result


def read_boxes(people: Records, field: str) -> list:
    """Each person's box as x, y, width, height, or None."""
    has_box = has_value(people, field)
    boxes = people._replace(items=list(compress(people.items, has_box)))
    values = boxes.numbers(field, 4)
    boxes.report((values[:, 2:] < 0).any(axis=1), f"'{field}' has a negative size")
    found = iter(values.tolist())
    return [next(found) if has else None for has in has_box]
