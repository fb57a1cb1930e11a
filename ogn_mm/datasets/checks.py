"""Checks of COCO annotation and detection files, vectorised over all records.

Each raises ValueError with one sentence that names the file, the record and the field.
"""

import json
import os
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np
from mmengine.fileio import LocalBackend, exists, get_file_backend, get_text

Loaded = TypeVar('Loaded')

# Samples are float32: products of two numbers up to this one stay finite.
HUGE = 1e18


def read_json(path: str):
    """Read a JSON file through MMEngine's file backends.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not JSON.
    """
    if not exists(path):
        raise FileNotFoundError(f'{path}: there is no such file')
    try:
        return json.loads(get_text(path))
    except ValueError as error:
        raise ValueError(f'{path}: is not JSON ({error})') from error


def load_checked(
    load: Callable[[], Loaded],
    content: Callable[[Loaded], dict],
    check: Callable[[dict], None],
    source: str,
) -> Loaded:
    """Run upstream's loader of a COCO file and check what it read.

    The file is parsed once; only if the loader stumbles is it read again, to say why.

    Args:
        load (Callable): The loader.
        content (Callable): From what it returned to the parsed JSON.
        check (Callable): Raises ValueError about JSON that cannot be meant.
        source (str): The file.

    Returns:
        What the loader returned.

    Raises:
        ValueError: The check's, or the loader stumbles over what passes it.
    """
    failure = None
    try:
        loaded = load()
    except Exception as error:
        failure = error
    check(read_json(source) if failure else content(loaded))
    if failure:
        raise ValueError(
            f'{source}: cannot be loaded as COCO keypoints ({failure!r})'
        ) from failure
    return loaded


def check_annotations(
    content,
    source: str,
    num_keypoints: int,
    evaluated=False,
    with_people=True,
    with_area=True,
) -> Counter:
    """Check a COCO keypoint annotation file.

    Args:
        content: The parsed JSON.
        source (str): The file's name, for messages.
        num_keypoints (int): K, the number of keypoints that a person must have.
        evaluated (bool): Whether predictions will be compared to the file: then every
            annotation needs its box, keypoints and area.
        with_people (bool): Whether there must be annotations; files for test servers
            have only images.
        with_area (bool): Whether evaluation takes people's sizes from the file.

    Returns:
        Counter: What is unusual but legal.

    Raises:
        ValueError: The first thing found that cannot be meant.
    """
    if not isinstance(content, dict):
        raise ValueError(f'{source}: should be a JSON object, found {shown(content)}')
    for name in ('images', 'categories') + ('annotations',) * with_people:
        if not isinstance(content.get(name), list) or not content[name]:
            found = shown(content[name]) if name in content else 'nothing'
            raise ValueError(
                f"{source}: field '{name}' should be a non-empty list, found {found}"
            )
    images = Records(content['images'], 'image', source)
    images.column('file_name', str)
    image_ids = images.unique_ids()
    sizes = {name: images.numbers(name) for name in ('width', 'height')}
    for name, values in sizes.items():
        images.report(values <= 0, f"'{name}' is not positive")
    if not with_people:
        return Counter()

    people = Records(content['annotations'], 'annotation', source)
    people.unique_ids()
    categories = Records(content['categories'], 'category', source).unique_ids()
    for name, ids in (('image_id', image_ids), ('category_id', categories)):
        dangling = [i not in ids for i in people.column(name, int)]
        people.report(dangling, f"'{name}' is unknown")
    if evaluated:
        people.column('bbox', list)
        people.column('keypoints', list)
        if with_area:
            people.numbers('area')
    people.having('bbox').numbers('bbox', 4)
    posed = people.having('keypoints')
    keypoints = posed.numbers('keypoints', 3 * num_keypoints)
    x, y, flags = keypoints.reshape(-1, num_keypoints, 3).transpose(2, 0, 1)
    unknown = ~np.isin(flags, (0, 1, 2)).all(axis=1)
    posed.report(unknown, "'keypoints' has a visibility flag other than 0, 1, 2")
    # Pixel centres are integers: the image spans -0.5 to its size - 0.5.
    row = {image_id: i for i, image_id in enumerate(image_ids)}
    rows = [row[image_id] for image_id in posed.column('image_id', int)]
    right, bottom = (sizes[name][rows, None] - 0.5 for name in ('width', 'height'))
    outside = (x < -0.5) | (y < -0.5) | (x > right) | (y > bottom)
    # The unary plus leaves out counts of zero.
    return +Counter(
        {'keypoints outside their image': int((outside & (flags > 0)).sum())}
    )


def check_detections(content, source: str, image_ids: set) -> Counter:
    """Check a COCO detection result file.

    Args:
        content: The parsed JSON.
        source (str): The file's name, for messages.
        image_ids (set): Of the annotation file.

    Returns:
        Counter: Detections that are left out, by reason.

    Raises:
        ValueError: The first thing found that cannot be meant.
    """
    if not isinstance(content, list) or not content:
        raise ValueError(
            f'{source}: should be a non-empty JSON list, found {shown(content)}'
        )
    detections = Records(content, 'detection', source)
    unknown = [i not in image_ids for i in detections.column('image_id', int)]
    detections.report(unknown, "'image_id' is not in the annotation file")
    detections.numbers('bbox', 4)
    detections.numbers('score')
    others = sum(category != 1 for category in detections.column('category_id', int))
    return +Counter({'detections of other categories': others})


def missing_files(paths) -> list[str]:
    """The paths that do not exist; lists folders, as asking for each file is slow."""
    listings = {}
    missing = []
    for path in paths:
        folder, name = os.path.split(path)
        if folder not in listings:
            found = os.path.isdir(folder or '.')
            listings[folder] = set(os.listdir(folder or '.')) if found else set()
        if name not in listings[folder] and not os.path.exists(path):
            missing.append(path)
    return missing


def require_images(
    paths, source: str, advice: str = 'check data_root and data_prefix'
) -> None:
    """Check that images exist, if they are local files.

    Args:
        paths (Iterable[str]): Of the images; there is at least one.
        source (str): The annotation file's name, for the message.
        advice (str): The message's end, about where the folder was named.

    Raises:
        FileNotFoundError: Some do not.
    """
    paths = dict.fromkeys(paths)
    if not isinstance(get_file_backend(next(iter(paths))), LocalBackend):
        return
    missing = missing_files(paths)
    if missing:
        raise FileNotFoundError(
            f'{source}: {len(missing)} of {len(paths)} images do not exist, '
            f'among them {", ".join(missing[:3])}; {advice}'
        )


def summarize(loaded: str, skipped: Counter, noted: Counter) -> str:
    """What was loaded, left out and kept although it is unusual, in one line."""
    for verb, counts in (('skipped', skipped), ('kept', noted)):
        if counts:
            listed = ', '.join(f'{n} {what}' for what, n in counts.items())
            loaded += f'; {verb} {listed}'
    return loaded


def shown(value) -> str:
    """A short description of a value for messages."""
    text = repr(value)
    return text if len(text) <= 40 else f'a {type(value).__name__} of {len(value)}'


class Records(NamedTuple):
    """A list of JSON objects of one kind, from one file."""

    items: list
    kind: str
    source: str

    def report(self, wrong, problem: str) -> None:
        """Raise ValueError about the first item that is wrong, if there is one."""
        wrong = np.flatnonzero(wrong)
        if not len(wrong):
            return
        item = self.items[wrong[0]]
        has_id = isinstance(item, dict) and 'id' in item
        name = f'id {item["id"]}' if has_id else f'number {wrong[0]}'
        more = f' (and {len(wrong) - 1} more)' if len(wrong) > 1 else ''
        raise ValueError(f'{self.source}: {self.kind} {name}: {problem}{more}')

    def having(self, field: str) -> 'Records':
        """The items that have a field."""
        return self._replace(items=[item for item in self.items if field in item])

    def column(self, field: str, kind: type) -> list:
        """The values of a field that all items must have."""
        lacks = [not isinstance(item, dict) or field not in item for item in self.items]
        self.report(lacks, f"field '{field}' is missing")
        values = [item[field] for item in self.items]
        wrong = [not isinstance(value, kind) for value in values]
        if any(wrong):
            found = shown(values[wrong.index(True)])
            expected = getattr(kind, '__name__', kind)
            self.report(wrong, f"'{field}' should be {expected}, found {found}")
        return values

    def unique_ids(self) -> dict:
        """The ids, as keys in their order."""
        ids = self.column('id', int)
        counts = Counter(ids)
        self.report([counts[i] > 1 for i in ids], "'id' is not unique")
        return counts

    def numbers(self, field: str, length: int | None = None) -> np.ndarray:
        """The values of a field as floats, (N,), or (N, length) if they are lists."""
        values = self.column(field, int | float if length is None else list)
        if length is not None:
            wrong = [len(value) != length for value in values]
            if any(wrong):
                found = len(values[wrong.index(True)])
                self.report(
                    wrong, f"'{field}' should be {length} numbers, found {found}"
                )
        try:
            array = np.array(values, float)
        except (TypeError, ValueError):
            alien = [any(not isinstance(v, int | float) for v in row) for row in values]
            self.report(alien, f"'{field}' holds something that is not a number")
            raise
        rows = array.reshape(len(values), length or 1)
        self.report(~np.isfinite(rows).all(axis=1), f"'{field}' is not finite")
        huge = (np.abs(rows) > HUGE).any(axis=1)
        self.report(huge, f"'{field}' is beyond {HUGE:g}")
        return array if length is None else rows
