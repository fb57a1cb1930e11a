"""Whether an annotation file means the keypoints that it is read as, by their names."""

from collections import Counter
from itertools import zip_longest

from mmengine.logging import print_log

from ogn_mm.engine.skeletons import keypoint_names


def plain_name(name: str) -> str:
    """A keypoint's name without case, hyphens, underscores and blanks."""
    return name.casefold().translate(dict.fromkeys(map(ord, '-_ ')))


def listed_names(category: dict) -> list[str]:
    """Names of the keypoints that a category of COCO's lists; none if it lists none."""
    names = category.get('keypoints')
    is_list = isinstance(names, list) and all(isinstance(n, str) for n in names)
    return names if is_list else []


def check_keypoint_names(content: dict, source: str, metainfo: dict) -> Counter:
    """Compare the names of a file's keypoints with those of a skeleton.

    Keypoints are read by their place. Names count alike whatever their case, hyphens,
    underscores and blanks. Categories of which nobody has keypoints do not count.

    Args:
        content (dict): COCO annotations that `checks.check_annotations` has passed.
        source (str): The file's name, for messages.
        metainfo (dict): MMPose's parsed description of the skeleton.

    Returns:
        Counter: How many are named otherwise; empty where none is, or the file names
        none.

    Raises:
        ValueError: A category lists the names of ``metainfo`` in another order.
    """
    names = keypoint_names(metainfo)
    wanted = [plain_name(name) for name in names]
    posed = [p for p in content.get('annotations') or [] if p.get('keypoints')]
    used = {person.get('category_id') for person in posed}
    noted = Counter()
    for category in content.get('categories') or []:
        listed = listed_names(category)
        if not listed or (used and category.get('id') not in used):
            continue
        found = [plain_name(name) for name in listed]
        pairs = enumerate(zip_longest(found, wanted))
        differing = [i for i, (name, other) in pairs if name != other]
        if differing and sorted(found) == sorted(wanted):
            first = differing[0]
            name = category.get('name')
            raise ValueError(
                f"{source}: category {name!r}: 'keypoints' has the names "
                f'of `metainfo` in another order: number {first} is '
                f'{listed[first]!r}, not {names[first]!r}'
            )
        if differing:
            noted['keypoints named otherwise than in `metainfo`'] = len(differing)
    return noted


def note_keypoint_names(content: dict, source: str, metainfo: dict) -> None:
    """Check as :func:`check_keypoint_names` does; other names are one line of the log.

    Raises:
        ValueError: As there.
    """
    noted = check_keypoint_names(content, source, metainfo)
    for what, count in noted.items():
        print_log(f'{source}: kept {count} {what}', logger='current')
