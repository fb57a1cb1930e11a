"""Reading and checking PoseTrack's files, one JSON a sequence, of every year.

PoseTrack 2018 and 2021 look like COCO: ``images``, ``annotations``, ``categories``.
Since 2021 people may have a ``person_id``, which is the same in all sequences, and
need no keypoints. Files of 2017 have one key, ``annolist``, a list of frames, in which
every single value lies in a list of its own. All come out alike here.
"""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ogn_mm.datasets.checks import Records, read_json, shown
from ogn_mm.structures.keypoint import POSETRACK17_JOINTS, POSETRACK18_JOINTS

from .annolist import ABSENT, HIDDEN, VISIBLE, is_polygon, read_annolist


class Sequence(NamedTuple):
    """An annotated video.

    ``name`` is the file's without its ending. ``frames`` are in their order: dicts of
    ``id``, ``file_name``, ``is_labeled`` and ``ignore_regions``, a list of polygons'
    corners, (V, 2), in pixels. ``people`` are dicts of ``id``, ``image_id``,
    ``track_id``, ``keypoints`` as x, y and flag in the order of `POSETRACK18_JOINTS`,
    (17, 3), and, where the file has them, ``bbox`` and ``bbox_head`` as x, y, width,
    height, and ``person_id``. Flags are COCO's: 2 for visible joints, 1 for joints
    with a place but not visible, and 0, at (0, 0), for absent ones. PoseTrack's
    evaluator counts 1 and 2 alike.
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
    content = read_json(source)
    if not isinstance(content, dict):
        raise ValueError(f'{source}: should be a JSON object, found {shown(content)}')
    read = read_annolist if 'annolist' in content else read_images
    frames, people = read(content, source)
    check_tracks(people, source)
    return Sequence(Path(path).stem, frames, people)


def sequence_files(folder: str | Path) -> list[Path]:
    """The JSON files of a folder, in the order of their names.

    Raises:
        FileNotFoundError: There are none.
    """
    paths = sorted(Path(folder).glob('*.json'))
    if not paths:
        raise FileNotFoundError(
            f'{folder}: holds no JSON files; expected one for each PoseTrack sequence'
        )
    return paths


def check_tracks(people: list[dict], source: str) -> None:
    """Nobody can be in a frame twice."""
    keys = [(person['image_id'], person['track_id']) for person in people]
    counts = Counter(keys)
    Records(people, 'annotation', source).report(
        [counts[key] > 1 for key in keys], "'track_id' is not unique in its image"
    )


def read_images(content: dict, source: str) -> tuple[list, list]:
    """Frames and people of a file of PoseTrack 2018 or 2021."""
    for name, least in (('images', 1), ('annotations', 0)):
        # test sequences may come without annotations
        found = content.get(name, [])
        if not isinstance(found, list) or len(found) < least:
            raise ValueError(
                f"{source}: field '{name}' should be a list of at least {least}, found "
                f'{shown(found)}'
            )
    images = Records(content['images'], 'image', source)
    ids = images.unique_ids()
    images.column('file_name', str)
    people = Records(content.get('annotations', []), 'annotation', source)
    people.unique_ids()
    image_ids = people.column('image_id', int)
    people.report([i not in ids for i in image_ids], "'image_id' is unknown")
    people.column('track_id', int)
    keypoints = read_keypoints(content, people)
    boxes = {name: read_boxes(people, name) for name in ('bbox', 'bbox_head')}
    inhabited = set(image_ids)
    frames = [
        dict(
            id=image['id'],
            file_name=image['file_name'],
            is_labeled=bool(image.get('is_labeled', image['id'] in inhabited)),
            ignore_regions=read_regions(image, images),
        )
        for image in content['images']
    ]
    kept = ('id', 'image_id', 'track_id', 'person_id')
    found = []
    for i, person in enumerate(people.items):
        fields = {name: person[name] for name in kept if name in person}
        fields |= {name: box[i] for name, box in boxes.items() if box[i] is not None}
        found.append(fields | dict(keypoints=keypoints[i]))
    return frames, found


def read_keypoints(content: dict, people: Records) -> np.ndarray:
    """All people's keypoints by their names, (N, 17, 3)."""
    result = np.zeros((len(people.items), len(POSETRACK18_JOINTS), 3))
    if not people.items:
        return result
    categories = content.get('categories')
    if not isinstance(categories, list) or len(categories) != 1:
        raise ValueError(
            f"{people.source}: field 'categories' should be a list of one, found "
            f'{shown(categories)}'
        )
    (names,) = Records(categories, 'category', people.source).column('keypoints', list)
    order = joint_order(names, people.source)
    posed = [i for i, person in enumerate(people.items) if person.get('keypoints')]
    found = people._replace(items=[people.items[i] for i in posed])
    values = found.numbers('keypoints', 3 * len(names)).reshape(-1, len(names), 3)
    unknown = ~np.isin(values[..., 2], (0, 1, 2)).all(axis=1)
    found.report(unknown, "'keypoints' has a flag other than 0, 1, 2")
    there = values.any(axis=-1)
    flags = np.where(values[..., 2] > 0, VISIBLE, HIDDEN)
    values[..., 2] = np.where(there, flags, ABSENT)
    result[np.ix_(posed, order)] = values
    return result


def joint_order(names: list, source: str) -> list[int]:
    """Where the joints of these names are in `POSETRACK18_JOINTS`."""
    alien = [name for name in names if name not in POSETRACK18_JOINTS]
    missing = [name for name in POSETRACK17_JOINTS if name not in names]
    if alien or missing or len(set(names)) < len(names):
        problem = (alien and f'unknown {alien[0]!r}') or (
            f'no {missing[0]!r}' if missing else 'one joint twice'
        )
        raise ValueError(
            f"{source}: category 'keypoints' should name PoseTrack's 15 or 17 joints, "
            f'found {problem}'
        )
    return [POSETRACK18_JOINTS.index(name) for name in names]


def read_boxes(people: Records, field: str) -> list:
    """Each person's box as x, y, width, height, or None."""
    # some files hold an empty list where there is no box
    having = [person for person in people.items if person.get(field)]
    boxes = people._replace(items=having)
    values = boxes.numbers(field, 4)
    boxes.report((values[:, 2:] < 0).any(axis=1), f"'{field}' has a negative size")
    found = iter(values.tolist())
    return [next(found) if person.get(field) else None for person in people.items]


def read_regions(image: dict, images: Records) -> list[np.ndarray]:
    """The polygons of an image, each (V, 2)."""
    x, y = (image.get(f'ignore_regions_{axis}') or [] for axis in 'xy')
    alone = images._replace(items=[image])
    try:
        polygons = [np.array((a, b), float).T for a, b in zip(x, y, strict=True)]
    except (TypeError, ValueError):
        polygons = [np.zeros((1, 1))]
    problem = (
        "'ignore_regions_x' and 'ignore_regions_y' should be lists of equally long "
        'lists of at least 3 numbers'
    )
    alone.report([not all(map(is_polygon, polygons))], problem)
    return [polygon for polygon in polygons if len(polygon)]
