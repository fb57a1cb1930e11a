r"""Write the `metainfo` of a skeleton from a COCO file that names its keypoints.

    python tools/dataset_tools/write_metainfo.py data/mine/people.json \
        --out configs/mine/skeleton.py

takes names and links from the file's category, and mirror pairs from names that say
left and right. The file is for `metainfo=dict(from_file=...)` of data sets. What COCO's
format has not is to be looked at: the sigmas are one guess for all keypoints. A file
that exists is not written over, for it may have been mended by hand.
"""

import argparse
import re
import sys
from pathlib import Path

from ogn_mm.datasets.keypoint_names import listed_names
from ogn_mm.engine.atomic_write import check_target, write_atomically
from ogn_mm.engine.json_files import Records, read_object, shown

SIGMA = 0.05  # COCO's are from 0.025, eyes, to 0.107, hips
COLORS = dict(left=[0, 255, 0], right=[255, 128, 0], middle=[51, 153, 255])
SIDES = dict(left='right', right='left', l='r', r='l')
# The words anywhere, the letters alone.
SIDE = re.compile('left|right|(?<![a-z])[lr](?![a-z])')
# Where a capital begins a word: eyeL, lEye, LEye.
NEW_WORD = re.compile('(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])')


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('annotations', help='COCO keypoint annotation file')
    parser.add_argument(
        '--out', required=True, metavar='FILE.py', help='file to write; must not exist'
    )
    parser.add_argument(
        '--category', help='whose keypoints, where several categories have others'
    )
    return parser.parse_args(argv)


def choose_category(path: str, name: str | None = None) -> dict:
    """The category of a COCO file whose keypoints are described.

    Args:
        path (str): The file.
        name (str, optional): The category's; needed where several list keypoints, but
            not the same.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no COCO file, or no category, or more than one kind of them,
            lists keypoints.
    """
    content = read_object(path, categories=list)
    categories = Records(content['categories'], 'category', path)
    categories.column('name', str)
    listing = [c for c in categories.items if listed_names(c)]
    if not listing:
        raise ValueError(f"{path}: no category lists the names of its 'keypoints'")
    chosen = [c for c in listing if name in (None, c['name'])]
    kinds = {tuple(listed_names(category)) for category in chosen}
    if len(kinds) != 1:
        names = ', '.join(shown(category['name']) for category in listing)
        raise ValueError(
            f'{path}: --category should be one of those that list keypoints, {names}'
        )
    return chosen[0]


def read_names(category: dict, path: str) -> list[str]:
    """The K names of a category's keypoints.

    Raises:
        ValueError: One is empty or there twice.
    """
    names = listed_names(category)
    for name in names:
        if not name.strip() or names.count(name) > 1:
            raise ValueError(
                f"{path}: category {shown(category['name'])}: 'keypoints' should be "
                f'different names, found {shown(name)}, '
                + ('which is empty' if not name.strip() else 'more than once')
            )
    return names


def read_links(
    category: dict, count: int, path: str
) -> tuple[list[tuple[int, int]], int]:
    """The links of a category's skeleton.

    COCO's format counts from 1. Where there is a 0, a tool has counted from 0.

    Args:
        category (dict): The category.
        count (int): K, the number of keypoints.
        path (str): The file, for messages.

    Returns:
        tuple: Pairs of keypoints, counted from 0, and what the file counts from.

    Raises:
        ValueError: They are no pairs of different keypoints.
    """
    links = category.get('skeleton') or []
    flat = [end for link in links if isinstance(link, list) for end in link]
    first = 0 if 0 in flat else 1
    for link in links:
        is_pair = isinstance(link, list) and len(link) == 2 and link[0] != link[1]
        if not is_pair or not all(
            type(end) is int and first <= end < first + count for end in link
        ):
            raise ValueError(
                f"{path}: category {shown(category['name'])}: 'skeleton' should be "
                f'pairs of different numbers from {first} to {first + count - 1}, '
                f'found {shown(link)}'
            )
    return [(one - first, other - first) for one, other in links], first


def plain_words(name: str) -> str:
    """A name in small letters, its words parted by underscores."""
    return re.sub(r'[\W_]+', '_', NEW_WORD.sub('_', name)).lower()


def find_sides(names: list[str]) -> list[str]:
    """'left', 'right' or 'middle' for each name, by what it says alone."""
    sides = []
    for name in names:
        found = SIDE.search(plain_words(name))
        sides.append({'l': 'left', 'r': 'right'}[found[0][0]] if found else 'middle')
    return sides


def find_twins(names: list[str]) -> list[str]:
    """Each keypoint's twin in the mirror, '' if it has none.

    Twins have the same name but for left and right, written out anywhere in it
    (left_eye, Eye Left, righteye), or l and r as words (l_eye, eye.R, lEye, forelegL1).
    """
    plain = list(map(plain_words, names))
    twins = []
    for words in plain:
        other = SIDE.sub(lambda side: SIDES[side[0]], words)
        alone = other != words and plain.count(other) == plain.count(words) == 1
        twins.append(names[plain.index(other)] if alone else '')
    return twins


def format_metainfo(
    title: str, name: str, names: list[str], links: list[tuple[int, int]]
) -> str:
    """A file of MMPose's ``dataset_info``.

    Args:
        title (str): Its first line's text.
        name (str): Of the data set.
        names (list[str]): Of the K keypoints.
        links (list[tuple]): Places of the keypoints that are joined.
    """
    twins, sides = find_twins(names), find_sides(names)
    lines = [
        f'# {title}',
        'dataset_info = dict(',
        f'    dataset_name={name!r},',
        '    keypoint_info={',
    ]
    for i, (keypoint, twin, side) in enumerate(zip(names, twins, sides, strict=True)):
        lines.append(
            f'        {i}: dict(id={i}, name={keypoint!r}, color={COLORS[side]}, '
            f"type='', swap={twin!r}),"
        )
    lines += ['    },', '    skeleton_info={']
    for i, ends in enumerate(links):
        found = {sides[end] for end in ends} - {'middle'}
        color = COLORS[found.pop() if len(found) == 1 else 'middle']
        link = tuple(names[end] for end in ends)
        lines.append(f'        {i}: dict(id={i}, link={link!r}, color={color}),')
    lines += [
        '    },',
        f'    joint_weights=[1.0] * {len(names)},',
        '    # a guess, the same for all; AP and the NMS of poses depend on them',
        f'    sigmas=[{SIGMA}] * {len(names)},',
        ')',
        '',
    ]
    return '\n'.join(lines)


def write_metainfo(args: argparse.Namespace) -> None:
    check_target('--out', args.out, ('.py',))
    out = Path(args.out)
    if out.exists():
        raise ValueError(f'--out {out}: exists, and may have been mended by hand')
    category = choose_category(args.annotations, args.category)
    names = read_names(category, args.annotations)
    links, first = read_links(category, len(names), args.annotations)
    title = f'Keypoints of {category["name"]!r} in {Path(args.annotations).name!r}'
    write_atomically(out, format_metainfo(title, out.stem, names, links))
    print(f'{out}: {len(names)} keypoints, {len(links)} links')
    if not first:
        print('links: counted from 0 in the file, not from 1, and read so')
    report_pairs(names)
    print(
        f'warning: sigmas are {SIGMA} for every keypoint, a guess; AP and the NMS of '
        "poses depend on them (COCO's are from 0.025 for eyes to 0.107 for hips)"
    )


def report_pairs(names: list[str]) -> None:
    """Say which keypoints change places in the mirror, and which do not."""
    twins = find_twins(names)
    pairs = [
        f'{name}/{twin}'
        for i, (name, twin) in enumerate(zip(names, twins, strict=True))
        if twin in names[i + 1 :]
    ]
    middle = [name for name, twin in zip(names, twins, strict=True) if not twin]
    print(f'mirror pairs: {", ".join(pairs) or "none"}')
    print(f'without a twin in the mirror: {", ".join(middle) or "none"}')


def main(argv=None):
    args = parse_args(argv)
    try:
        write_metainfo(args)
    except (OSError, ValueError) as error:
        sys.exit(f'write_metainfo: {error}')


if __name__ == '__main__':
    main()
