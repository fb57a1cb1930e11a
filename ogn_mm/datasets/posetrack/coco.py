"""PoseTrack's sequences as one COCO keypoint file, for training on their frames."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from ogn_mm.datasets.checks import require_images
from ogn_mm.datasets.images import read_size
from ogn_mm.structures.keypoint import POSETRACK18_JOINTS, inside_regions

from .annotations import ABSENT, Sequence, read_sequence
from .files import sequence_files

CATEGORY = dict(
    id=1, name='person', supercategory='person', keypoints=list(POSETRACK18_JOINTS)
)
# A box made of keypoints is longer than they reach by this share, in either direction
# (Xiao et al., Simple Baselines for Human Pose Estimation and Tracking, section 4.2).
BOX_MARGIN = 0.15
# A person's area as a share of their box's, as MMPose estimates it.
AREA_OF_BOX = 0.53


def sequences_to_coco(
    sequences: Iterable[Sequence], image_root, with_unlabelled=False
) -> tuple[dict, Counter, Counter]:
    """Join sequences into COCO's format, as MMPose's `PoseTrack18Dataset` reads it.

    Frames that are not labelled are left out, for there is no telling who is in them.
    Ids are kept, those of tracks and persons as well.

    Keypoints inside an ignore region are not labelled, and people without others are
    left out, as by PoseTrack's evaluator; people who never had any are left out if
    their box's centre lies there. Images keep their regions as ``ignore_regions_x`` and
    ``_y``, and each is an annotation with ``iscrowd=1`` as well: what a detector finds
    there does not count, and in training neither, if its assigners have an
    ``ignore_iof_thr`` above 0, as in the configs for PoseTrack (MMDetection's have -1).

    Without a box, people get one made of their keypoints (see `box_of_keypoints`),
    clipped to the image.

    Args:
        sequences (Iterable[Sequence]): As `read_sequence` reads them.
        image_root (str | Path): What ``file_name`` starts from; sizes are read there.
        with_unlabelled (bool): Whether to keep all frames, for test sequences.

    Returns:
        tuple[dict, Counter, Counter]: COCO's dictionary, what was left out, by reason,
        and what was kept but changed.

    Raises:
        FileNotFoundError: Images are missing.
        ValueError: An id is in two sequences, an image cannot be read, or no frame is
            labelled.
    """
    skipped, noted = Counter(), Counter()
    images, people, regions = [], [], []
    for sequence in sequences:
        frames = [f for f in sequence.frames if f['is_labeled'] or with_unlabelled]
        skipped['frames without labels'] += len(sequence.frames) - len(frames)
        records = image_records(frames, sequence.name, Path(image_root))
        images += records
        sizes = {image['id']: (image['width'], image['height']) for image in records}
        polygons = {frame['id']: frame['ignore_regions'] for frame in frames}
        for person in sequence.people:
            if person['image_id'] not in sizes:
                skipped['people in frames without labels'] += 1
                continue
            place = person['image_id']
            record = person_record(
                person, sizes[place], polygons[place], skipped, noted
            )
            if record:
                people.append(record)
        regions += [region_record(i, r) for i, found in polygons.items() for r in found]
    if not images:
        raise ValueError('no frame is labelled; test sequences need with_unlabelled')
    for kind, records in (('image', images), ('annotation', people)):
        check_shared_ids(records, kind)
    first = 1 + max((person['id'] for person in people), default=0)
    regions = [dict(id=first + i) | region for i, region in enumerate(regions)]
    coco = dict(images=images, annotations=people + regions, categories=[CATEGORY])
    return coco, +skipped, +noted


def read_folder(folder) -> Iterator[Sequence]:
    """The sequences of a folder, with a progress bar."""
    # not at the top: only commands need it
    from rich.progress import track

    paths = sequence_files(folder)
    for path in track(paths, description=Path(folder).name):
        yield read_sequence(path)


def image_records(frames: list[dict], video: str, root: Path) -> list[dict]:
    """COCO's records of a sequence's frames."""
    paths = [str(root / frame['file_name']) for frame in frames]
    if paths:
        require_images(
            paths, f'{video}.json', 'check the folder that their names start from'
        )
    records = []
    for frame, path in zip(frames, paths, strict=True):
        try:
            width, height = read_size(path)
        except ValueError as error:
            raise ValueError(f'{video}.json: {error}') from error
        record = dict(
            id=frame['id'],
            file_name=frame['file_name'],
            width=width,
            height=height,
            vid_id=video,
        )
        if frame['ignore_regions']:
            for name, column in (('x', 0), ('y', 1)):
                record[f'ignore_regions_{name}'] = [
                    region[:, column].tolist() for region in frame['ignore_regions']
                ]
        records.append(record)
    return records


def person_record(
    person: dict, size, regions: list, skipped: Counter, noted: Counter
) -> dict | None:
    """COCO's record of a person, or None if nothing is left of them."""
    keypoints = person['keypoints'].copy()
    labelled = keypoints[:, 2] != ABSENT
    ignored = labelled & inside_regions(keypoints[:, :2], regions)
    box = person.get('bbox')
    if box is None:
        box = clip_box(box_of_keypoints(keypoints), size)
        noted['people whose box is made of their keypoints'] += 1
    if box[2] <= 0 or box[3] <= 0:
        skipped['people without box'] += 1
        return None
    centre = np.array((box[0] + box[2] / 2, box[1] + box[3] / 2))
    if labelled.any():
        gone = (ignored == labelled).all()
    else:
        gone = inside_regions(centre, regions)
    if gone:
        skipped['people in ignore regions'] += 1
        return None
    keypoints[ignored] = 0
    skipped['keypoints in ignore regions'] += int(ignored.sum())
    return {k: v for k, v in person.items() if k != 'keypoints'} | dict(
        category_id=1,
        keypoints=plain_numbers(keypoints),
        num_keypoints=int((keypoints[:, 2] != ABSENT).sum()),
        bbox=box,
        area=AREA_OF_BOX * box[2] * box[3],
        iscrowd=0,
    )


def region_record(image_id: int, region: np.ndarray) -> dict:
    """An ignore region as a crowd of COCO's, without its id."""
    (left, top), (right, bottom) = (
        region.min(axis=0).tolist(),
        region.max(axis=0).tolist(),
    )
    width, height = right - left, bottom - top
    return dict(
        image_id=image_id,
        category_id=1,
        keypoints=[0] * 3 * len(POSETRACK18_JOINTS),
        num_keypoints=0,
        bbox=[left, top, width, height],
        area=width * height,
        segmentation=[region.ravel().tolist()],
        iscrowd=1,
    )


def box_of_keypoints(keypoints: np.ndarray) -> list:
    """The box that stands for a person who has none.

    It is 15 % longer and higher than the labelled keypoints reach.

    Args:
        keypoints (np.ndarray): x, y, flag, (K, 3).

    Returns:
        list: x, y, width, height; all 0 without labelled keypoints.
    """
    places = keypoints[keypoints[:, 2] != ABSENT, :2]
    if not len(places):
        return [0.0] * 4
    low, high = places.min(axis=0), places.max(axis=0)
    margin = (high - low) * BOX_MARGIN / 2
    return [*(low - margin).tolist(), *(high - low + 2 * margin).tolist()]


def clip_box(box, size) -> list:
    """The part of a box x, y, width, height that is in an image of a size (W, H)."""
    low = np.array(box[:2])
    high = (low + box[2:]).clip(0, size)
    low = low.clip(0, size)
    return [*low.tolist(), *(high - low).tolist()]


def plain_numbers(values: np.ndarray) -> list:
    """Numbers for JSON: whole ones without a point."""
    return [int(v) if v == int(v) else v for v in values.ravel().tolist()]


def check_shared_ids(records: list[dict], kind: str) -> None:
    """Ids are unique in a sequence; they have to be so in all of them together."""
    counts = Counter(record['id'] for record in records)
    twice = next((i for i, count in counts.items() if count > 1), None)
    if twice is not None:
        raise ValueError(f"{kind} id {twice}: 'id' is in two sequences")
