"""What PoseTrack's JSON files are like, for whoever reads them.

Data sets and the evaluator build on this. They keep readers of their own, for they want
different things: the official evaluator takes whatever the rules of its program let
pass, scores included, as arrays of 15 joints; a data set refuses what cannot be meant,
names the person, and keeps ids, boxes and flags.
"""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ogn_mm.engine.json_files import HUGE, Records, read_object, shown, to_floats
from ogn_mm.structures.keypoint import POSETRACK17_JOINTS

# The folder's number, its source, and a frame's number below 10000.
FILE_NAME = re.compile(
    r'(?:.*/)?(\d+)_(mpii|bonn|mpiinew)(?:_[^/]*)?/0*(\d{1,4})\.[^/]*'
)


def sequence_files(folder: str | Path) -> list[Path]:
    """The JSON files of a folder, one a sequence, in the order of their names.

    Raises:
        FileNotFoundError: There is no such folder, or no JSON file in it.
    """
    paths = sorted(Path(folder).glob('*.json'))
    if not paths:
        raise FileNotFoundError(
            f'{folder}: there is no folder with JSON files; expected one for each '
            'PoseTrack sequence'
        )
    return paths


def read_content(path: str | Path) -> tuple[dict, bool]:
    """A sequence's JSON, and whether it has the layout of 2017.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not a JSON object.
    """
    content = read_object(path)
    return content, 'annolist' in content


def list_in(content, field: str, source: str, length: int = 0) -> list:
    """A list that a file must have, with at least ``length`` entries."""
    found = content.get(field) if isinstance(content, dict) else None
    if not isinstance(found, list) or len(found) < length:
        raise ValueError(
            f"{source}: field '{field}' should be a {'non-empty ' * (length > 0)}list, "
            f'found {"nothing" if found is None else shown(found)}'
        )
    return found


def joint_columns(content: dict, source: str) -> tuple[int, list[int]]:
    """The number of a file's keypoints, and where among them the 15 joints are.

    They go by their names in ``categories``, in any order; other names are the ears.
    """
    categories = list_in(content, 'categories', source)
    category = categories[0] if len(categories) == 1 else None
    if not isinstance(category, dict) or category.get('name') != 'person':
        raise ValueError(
            f"{source}: field 'categories' should have one entry, named 'person'"
        )
    names = list_in(category, 'keypoints', f'{source}: category')
    missing = [name for name in POSETRACK17_JOINTS if name not in names]
    if len(names) not in (15, 17) or missing:
        lacking = f', lacking {missing[0]}' if missing else ''
        raise ValueError(
            f"{source}: category 'person': 'keypoints' should be 15 or 17 names with "
            f'all of PoseTrack, found {len(names)}{lacking}'
        )
    return len(names), [names.index(name) for name in POSETRACK17_JOINTS]


def has_value(people: Records, field: str) -> list[bool]:
    """Who has something in a field: none if it is missing, null or an empty list."""
    return [person.get(field) not in (None, []) for person in people.items]


def read_joints(content: dict, people: Records) -> np.ndarray:
    """x, y and flag of the 15 joints of people in the layout of 2018.

    People without keypoints, as some have since 2021 and in DensePose's files, are
    people without joints.

    Args:
        content (dict): The file's JSON, for the keypoints' names.
        people (Records): Its ``annotations``, or some of them.

    Returns:
        np.ndarray: (N, 15, 3), in the order of `POSETRACK17_JOINTS`; 0 for absent ones.

    Raises:
        ValueError: They are not as many numbers as the file has names.
    """
    number, columns = joint_columns(content, people.source)
    joints = np.zeros((len(people.items), len(columns), 3))
    posed = np.flatnonzero(has_value(people, 'keypoints'))
    found = people._replace(items=[people.items[i] for i in posed])
    values = found.numbers('keypoints', 3 * number).reshape(-1, number, 3)
    joints[posed] = values[:, columns]
    return joints


def labelled_frames(frames: Records, inhabited: Iterable[bool]) -> list[bool]:
    """Which frames are labelled: the rule of data sets, converter and evaluator.

    ``is_labeled`` says so. Where it is missing, null or an empty list, a frame is
    labelled if somebody is listed in it.

    Args:
        frames (Records): Entries of ``images``, or of ``annolist``.
        inhabited (Iterable[bool]): Whether somebody is listed, for each.

    Raises:
        ValueError: A field says neither yes nor no.
    """
    flags = [sole(frame.get('is_labeled')) for frame in frames.items]
    wrong = [flag not in (0, 1, None) for flag in flags]
    frames.report(wrong, "'is_labeled' should be 0 or 1", flags)
    return [
        bool(somebody if flag is None else flag)
        for flag, somebody in zip(flags, inhabited, strict=True)
    ]


def sole(value):
    """What lies in a list of its own, as all values in 2017's layout, or by itself."""
    if isinstance(value, list) and len(value) < 2:
        return value[0] if value else None
    return value


def image_names(images: Records) -> list[str]:
    """The names of a file's images.

    Raises:
        ValueError: One is missing, or there twice: no frame comes again in its video.
    """
    names = images.column('file_name', str)
    counts = Counter(names)
    twice = [counts[name] > 1 for name in names]
    images.report(twice, "'file_name' is not unique", names)
    return names


def frame_number(name) -> int | None:
    """The number at the end of an image's name; None if it is not PoseTrack's."""
    match = isinstance(name, str) and FILE_NAME.fullmatch(name)
    return int(match[3]) if match else None


def read_polygons(image: dict, images: Records) -> list[np.ndarray]:
    """The corners (V, 2) of an image's ignore regions; there may be 0 of them.

    Args:
        image (dict): Of the layout of 2018.
        images (Records): Where it is from.

    Raises:
        ValueError: The fields are unusable; the message names file and image.
    """
    x, y = (image.get(f'ignore_regions_{axis}') or [] for axis in 'xy')
    try:
        polygons = [to_floats(list(polygon)) for polygon in zip(x, y, strict=True)]
    except (TypeError, ValueError):  # no lists, or of different lengths
        polygons = [None]
    usable = all(p is not None and p.ndim == 2 and is_polygon(p.T) for p in polygons)
    images._replace(items=[image]).report(
        [not usable],
        "'ignore_regions_x' and 'ignore_regions_y' should hold lists of as many "
        'numbers each, at least 3 for a region',
    )
    return [polygon.T for polygon in polygons]


def is_polygon(corners: np.ndarray) -> bool:
    """Whether these can be the corners (V, 2) of a polygon, or none at all."""
    return len(corners) not in (1, 2) and bool((np.abs(corners) <= HUGE).all())
