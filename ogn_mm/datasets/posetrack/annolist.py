"""Reading PoseTrack 2017's files, in which every single value lies in a list."""

import numpy as np

from ogn_mm.engine.json_files import HUGE, Records, check_object, shown, to_floats
from ogn_mm.structures.keypoint import POSETRACK17_JOINTS, POSETRACK18_JOINTS

from .files import FILE_NAME, is_polygon, labelled_frames, list_in

# What is known of a joint, as COCO's flags.
ABSENT, HIDDEN, VISIBLE = 0, 1, 2
SOURCES = dict(mpii=1, bonn=2, mpiinew=3)


def read_annolist(content: dict, source: str) -> tuple[list, list]:
    """Frames and people of a file of PoseTrack 2017.

    Its images have no ids. They get the ones that PoseTrack 2018 would give: a digit
    for the source, six for the sequence's number and four for the frame's.
    """
    frames, people, inhabited = [], [], []
    entries = Records(list_in(content, 'annolist', source, 1), 'frame', source)
    for number, frame in enumerate(entries.items):
        where = f'{source}: frame {number}'
        name = single(single(frame, 'image', where), 'name', where)
        image_id = image_id_of(name, where)
        rects = listed(frame, 'annorect', where)
        regions = [
            read_points(region, ('x', 'y'), f'{where}: ignore region {i}')
            for i, region in enumerate(listed(frame, 'ignore_regions', where))
        ]
        if not all(map(is_polygon, regions)):
            raise ValueError(
                f"{where}: 'ignore_regions' should have at least 3 points each"
            )
        frames.append(
            dict(
                id=image_id,
                file_name=name,
                ignore_regions=[region for region in regions if len(region)],
            )
        )
        for i, rect in enumerate(rects):
            ids = dict(id=100 * image_id + i, image_id=image_id)
            people.append(ids | read_rect(rect, f'{where}: person {i}'))
        inhabited.append(bool(rects))
    labelled = labelled_frames(entries, inhabited)
    for frame, flag in zip(frames, labelled, strict=True):
        frame['is_labeled'] = flag
    for field, records in (('image', frames), ('annotation', people)):
        Records(records, field, source).unique_ids()
    return frames, people


def image_id_of(file_name, where: str) -> int:
    """An image's id by its name, such as .../02650_mpii/00000001.jpg."""
    match = isinstance(file_name, str) and FILE_NAME.fullmatch(file_name)
    if not match or len(match[1]) > 6:
        raise ValueError(
            f"{where}: 'name' should end in NUMBER_SOURCE/FRAME.jpg with SOURCE one of "
            f'{", ".join(SOURCES)}, found {shown(file_name)}'
        )
    return int(f'{SOURCES[match[2]]}{int(match[1]):06d}{int(match[3]):04d}')


def read_rect(rect, where: str) -> dict:
    """The track, head box and keypoints of one person."""
    person = dict(track_id=single(rect, 'track_id', where))
    check_object(person, where, track_id=int)
    if 'x1' in rect:
        corners = [single(rect, name, where) for name in ('x1', 'y1', 'x2', 'y2')]
        x1, y1, x2, y2 = finite(corners, 'x1, y1, x2, y2', where).tolist()
        person['bbox_head'] = [x1, y1, x2 - x1, y2 - y1]
    keypoints = np.zeros((len(POSETRACK18_JOINTS), 3))
    for points in listed(rect, 'annopoints', where):
        values = read_points(points, ('id', 'x', 'y'), where)
        ids = values[:, 0]
        if not np.isin(ids, range(len(POSETRACK17_JOINTS))).all():
            raise ValueError(f"{where}: 'point' has an 'id' outside 0 to 14")
        if len(set(ids)) < len(ids):
            raise ValueError(f"{where}: 'point' has an 'id' twice")
        names = [POSETRACK17_JOINTS[int(i)] for i in ids]
        hidden = [
            single(point, 'is_visible', where, default=1) in (0, '0')
            for point in listed(points, 'point', where)
        ]
        rows = [POSETRACK18_JOINTS.index(name) for name in names]
        keypoints[rows, :2] = values[:, 1:]
        keypoints[rows, 2] = np.where(hidden, HIDDEN, VISIBLE)
    return person | dict(keypoints=keypoints)


def read_points(holder, fields: tuple, where: str) -> np.ndarray:
    """Some fields of each entry of ``point``, (V, len(fields))."""
    rows = [
        [single(point, field, where) for field in fields]
        for point in listed(holder, 'point', where)
    ]
    return finite(rows, 'point', where).reshape(-1, len(fields))


def finite(values: list, field: str, where: str) -> np.ndarray:
    """Numbers as floats."""
    numbers = to_floats(values)
    if numbers is None or not (np.abs(numbers) <= HUGE).all():
        raise ValueError(f"{where}: '{field}' should hold finite numbers only")
    return numbers


def listed(holder, field: str, where: str) -> list:
    """A field that is a list; what is missing or null is an empty one."""
    if not isinstance(holder, dict):
        raise ValueError(f'{where}: should be a JSON object, found {shown(holder)}')
    values = holder.get(field) or []
    if not isinstance(values, list):
        raise ValueError(f"{where}: '{field}' should be a list, found {shown(values)}")
    return values


def single(holder, field: str, where: str, **default):
    """A field's only value, in a list of its own or not."""
    if not isinstance(holder, dict):
        raise ValueError(f'{where}: should be a JSON object, found {shown(holder)}')
    value = holder.get(field, [])
    values = value if isinstance(value, list) else [value]
    if not values and default:
        return default['default']
    if len(values) != 1:
        raise ValueError(
            f"{where}: '{field}' should be one value, found {shown(value)}"
        )
    return values[0]
