"""Checks of COCO annotation and detection files, vectorised over all records.

Each raises ValueError with one sentence that names the file, the record and the field.
"""

import os
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from mmengine.fileio import LocalBackend, get_file_backend

from ogn_mm.engine.json_files import (
    TOO_DEEP,
    Records,
    check_object,
    printable,
    read_json,
    shown,
)

from .categories import check_categories, keypoint_categories, require_keypoints

Loaded = TypeVar('Loaded')


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
    if isinstance(failure, RecursionError):
        raise ValueError(f'{source}: {TOO_DEEP}')
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
            annotation needs its box, keypoints and area, but for those of categories
            without keypoints.
        with_people (bool): Whether there must be annotations; files for test servers
            have only images.
        with_area (bool): Whether evaluation takes people's sizes from the file.

    Returns:
        Counter: What is unusual but legal.

    Raises:
        ValueError: The first thing found that cannot be meant.
    """
    check_object(content, source)
    for name in ('images', 'categories') + ('annotations',) * with_people:
        if not isinstance(content.get(name), list) or not content[name]:
            found = shown(content[name]) if name in content else 'nothing'
            raise ValueError(
                f"{source}: field '{name}' should be a non-empty list, found {found}"
            )
    images = Records(content['images'], 'image', source)
    images.column('file_name', str)
    images.having('crowdIndex').numbers('crowdIndex')
    image_ids = images.unique_ids()
    sizes = {name: images.numbers(name) for name in ('width', 'height')}
    for name, values in sizes.items():
        images.report(values <= 0, f"'{name}' is not positive")
    category_ids = check_categories(content, source)
    if not with_people:
        return Counter()

    people = Records(content['annotations'], 'annotation', source)
    ann_ids = people.unique_ids()
    for name, ids in (('image_id', image_ids), ('category_id', category_ids)):
        dangling = [i not in ids for i in people.column(name, int)]
        people.report(dangling, f"'{name}' is unknown")
    posed = keypoint_categories(content)
    counted = people._replace(
        items=[person for person in people.items if person['category_id'] in posed]
    )
    if evaluated:
        # COCOeval would take the match of such a person for none
        people.report([i < 0 for i in ann_ids], "'id' is negative")
        counted.column('bbox', list)
        counted.column('keypoints', list)
        if with_area:
            counted.column('area', int | float)
    for name in ('area', 'num_keypoints'):
        having = people.having(name)
        having.report(having.numbers(name) < 0, f"'{name}' is negative")
    for name in ('iscrowd', 'ignore'):
        people.flags(name)
    people.having('segmentation').column('segmentation', list | dict | None)
    people.having('bbox').numbers('bbox', 4)
    posed = counted.having('keypoints')
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


def check_detections(
    content, source: str, image_ids: set, categories: dict[int, str]
) -> Counter:
    """Check a COCO detection result file.

    Args:
        content: The parsed JSON.
        source (str): The file's name, for messages.
        image_ids (set): Of the annotation file.
        categories (dict): Those with keypoints, as
            :func:`~ogn_mm.datasets.categories.keypoint_categories` gives them.

    Returns:
        Counter: Detections that are left out, by reason.

    Raises:
        ValueError: The first thing found that cannot be meant.
    """
    detections = check_results(content, 'detection', source, image_ids)
    detections.numbers('bbox', 4)
    require_keypoints(detections, categories)
    others = sum(item['category_id'] not in categories for item in detections.items)
    return +Counter({'detections of other categories': others})


def check_results(content, kind: str, source: str, image_ids) -> Records:
    """Check what COCO's results of all kinds have in common.

    Args:
        content: The parsed JSON.
        kind (str): What a result is, for messages.
        source (str): The file's name, for messages.
        image_ids (Container): Of the annotation file.

    Raises:
        ValueError: The first thing found that cannot be meant.
    """
    if not isinstance(content, list) or not content:
        raise ValueError(
            f'{source}: should be a non-empty JSON list, found {shown(content)}'
        )
    results = Records(content, kind, source)
    unknown = [i not in image_ids for i in results.column('image_id', int)]
    results.report(unknown, "'image_id' is not in the annotation file")
    results.column('category_id', int)
    results.numbers('score')
    return results


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
            f'among them {", ".join(map(printable, missing[:3]))}; {advice}'
        )


def summarize(loaded: str, skipped: Counter, noted: Counter) -> str:
    """What was loaded, left out and kept although it is unusual, in one line."""
    for verb, counts in (('skipped', skipped), ('kept', noted)):
        if counts:
            listed = ', '.join(f'{n} {what}' for what, n in counts.items())
            loaded += f'; {verb} {listed}'
    return loaded
