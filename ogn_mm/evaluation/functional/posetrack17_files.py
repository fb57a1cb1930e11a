"""The JSON layout of PoseTrack 2017, where every value sits in a list of its own."""

from collections import Counter

import numpy as np

from ogn_mm.datasets.posetrack.files import (
    is_polygon,
    labelled_frames,
    list_in,
    sole,
)
from ogn_mm.engine.json_files import Records
from ogn_mm.structures.keypoint import POSETRACK17_JOINTS

from .posetrack_sequence import (
    NO_SCORE,
    PoseSequence,
    check_track_ids,
    head_sizes,
)

HEAD_CORNERS = ('x1', 'y1', 'x2', 'y2')


def read_annolist(content: dict, source: str, truth: bool) -> PoseSequence:
    """The people of a file in the layout of 2017.

    People without a list of points are left out; their frames count all the same.

    Args:
        content (dict): The parsed JSON.
        source (str): The file's name, for messages.
        truth (bool): Whether to read head boxes and ignored regions.

    Raises:
        ValueError: The file is unusable; the message names it and the field.
    """
    entries = Records(list_in(content, 'annolist', source, 1), 'frame', source)
    people_of = entries.column('annorect', list)
    counts = np.array([len(people) for people in people_of], int)
    people = Records([person for p in people_of for person in p], 'person', source)
    frames = np.repeat(np.arange(len(counts)), counts)
    numbers = integers(people, 'track_id')
    track_ids = check_track_ids(source, frames, [int(n) for n in numbers])

    listed = np.array([point_list(person) is not None for person in people.items], bool)
    people = choose(people, listed)
    keypoints, exist, scores, skipped = read_points(people)
    inhabited = counts > 0
    sizes = np.full(len(people.items), np.nan)
    if truth:
        boxed = [all(c in person for c in HEAD_CORNERS) for person in people.items]
        with_box = choose(people, boxed)
        corners = [values(with_box, corner) for corner in HEAD_CORNERS]
        sizes[boxed] = head_sizes(np.stack(corners, axis=1))
        inhabited &= labelled_frames(entries, inhabited)
    return PoseSequence(
        source=source,
        num_frames=len(counts),
        labelled=inhabited,
        frames=frames[listed],
        track_ids=track_ids[listed],
        keypoints=keypoints,
        exist=exist,
        scores=scores,
        head_sizes=sizes,
        regions=read_regions(entries) if truth else (),
        image_names=[image_name(entry) for entry in entries.items],
        skipped=skipped,
    )


def image_name(entry: dict) -> str | None:
    """The name of a frame's image, which the evaluation does not need."""
    image = sole(entry.get('image'))
    return sole(image.get('name')) if isinstance(image, dict) else None


def choose(records: Records, which) -> Records:
    """The records where a mask is true."""
    return records._replace(items=[records.items[i] for i in np.flatnonzero(which)])


def values(records: Records, field: str) -> np.ndarray:
    """The numbers in a field, each in a list of its own, (N,)."""
    return records.numbers(field, 1)[:, 0]


def integers(records: Records, field: str) -> np.ndarray:
    """As :func:`values`, of whole numbers."""
    numbers = values(records, field)
    records.report(numbers % 1 != 0, f"'{field}' should be an integer")
    return numbers


def point_list(person: dict) -> list | None:
    """A person's points, or None if there is no list of them."""
    annopoints = person.get('annopoints')
    if not isinstance(annopoints, list) or not annopoints:
        return None
    return annopoints[0].get('point') if isinstance(annopoints[0], dict) else None


def read_points(people: Records) -> tuple[np.ndarray, np.ndarray, np.ndarray, Counter]:
    """Keypoints (P, 15, 2), which exist (P, 15), their scores (P, 15), what is out."""
    shape = (len(people.items), len(POSETRACK17_JOINTS))
    lists = [point_list(person) for person in people.items]
    people.report(
        [not isinstance(points, list) for points in lists],
        "'annopoints' should hold a list of points",
    )
    owners = np.repeat(np.arange(shape[0]), [len(points or ()) for points in lists])
    points = Records([p for each in lists for p in each or ()], 'point', people.source)
    joints = integers(points, 'id').astype(int)
    places = np.stack([values(points, 'x'), values(points, 'y')], axis=1)
    scored = np.array(['score' in point for point in points.items], bool)
    point_scores = np.full(len(owners), NO_SCORE)
    point_scores[scored] = values(points.having('score'), 'score')

    keypoints = np.zeros((*shape, 2))
    exist = np.zeros(shape, bool)
    scores = np.full(shape, NO_SCORE)
    # Of points with the same id the first counts: it is written last.
    known = np.flatnonzero((joints >= 0) & (joints < shape[1]))[::-1]
    index = owners[known], joints[known]
    keypoints[index], exist[index] = places[known], True
    scores[index] = point_scores[known]
    skipped = Counter(
        {
            "points with an 'id' outside 0 to 14": len(owners) - len(known),
            "points whose 'id' comes again": len(known) - int(exist.sum()),
        }
    )
    return keypoints, exist, scores, skipped


def read_regions(entries: Records) -> list[tuple[int, np.ndarray]]:
    """Frame and polygon (V, 2) of the ignored regions."""
    regions = []
    for frame, entry in enumerate(entries.items):
        listed = entries._replace(items=[entry]).having('ignore_regions')
        areas = Records(
            [area for found in listed.column('ignore_regions', list) for area in found],
            f'ignored region of frame {frame},',
            entries.source,
        )
        for vertices in areas.column('point', list):
            points = areas._replace(items=vertices, kind=f'{areas.kind} point')
            polygon = np.stack([values(points, 'x'), values(points, 'y')], axis=1)
            areas.report(
                [not is_polygon(polygon)], "'point' should hold at least 3 vertices"
            )
            regions.append((frame, polygon))
    return regions


def people_to_annolist(frames: list[dict], people: PoseSequence) -> dict:
    """Predictions in the layout of 2017.

    Args:
        frames (list[dict]): The ground truth's entries of ``annolist``.
        people (PoseSequence): The people.
    """
    annolist = [dict(image=frame['image'], annorect=[]) for frame in frames]
    for frame, track_id, keypoints, exist, scores in zip(
        people.frames.tolist(),
        people.track_ids.tolist(),
        people.keypoints.tolist(),
        people.exist,
        people.scores.tolist(),
        strict=True,
    ):
        points = [
            dict(
                id=[joint],
                x=[keypoints[joint][0]],
                y=[keypoints[joint][1]],
                score=[scores[joint]],
            )
            for joint in np.flatnonzero(exist).tolist()
        ]
        annolist[frame]['annorect'].append(
            dict(track_id=[track_id], annopoints=[dict(point=points)])
        )
    return dict(annolist=annolist)
