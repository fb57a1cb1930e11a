r"""Split a COCO annotation file by images, at random but repeatably.

For choosing settings on one part of the training data and reporting them on data that
was not used for choosing:

    python tools/dataset_tools/split_annotations.py ANN.json \
        --out data/people1k_split --sizes fit=550 dev=150

writes data/people1k_split/fit.json and dev.json. The same arguments give the same
files; images stay in the order of the source.
"""

import argparse
import json
import random
import sys
from pathlib import Path

from ogn_mm.engine.atomic_write import write_atomically
from ogn_mm.engine.json_files import Records, read_object


def parse_size(text: str) -> tuple[str, int]:
    """NAME=COUNT as (name, count)."""
    name, _, count = text.partition('=')
    if not name or name != Path(name).name or not count.isdigit() or int(count) == 0:
        raise argparse.ArgumentTypeError(f'expected NAME=COUNT, e.g. dev=150: {text}')
    return name, int(count)


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('annotations', type=Path, help='COCO annotation file')
    parser.add_argument('--out', type=Path, required=True, help='folder of the splits')
    parser.add_argument(
        '--sizes',
        type=parse_size,
        nargs='+',
        required=True,
        metavar='NAME=COUNT',
        help='number of images of each split; images beyond their sum are left out',
    )
    parser.add_argument('--seed', type=int, default=0)
    return parser.parse_args(argv)


def load_annotations(path: Path) -> dict:
    """Read a COCO annotation file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no JSON or no COCO annotation file.
    """
    source = str(path)
    coco = read_object(path, images=list, annotations=list)
    images = Records(coco['images'], 'image', source)
    people = Records(coco['annotations'], 'annotation', source)
    # ids that are sorted are of one kind
    kind = str if any(type(i) is str for i in images.column('id', int | str)) else int
    ids = images.unique_ids(kind)
    lost = [i not in ids for i in people.column('image_id', kind)]
    people.report(lost, "'image_id' is unknown")
    return coco


def split_annotations(coco: dict, sizes: dict[str, int], seed: int) -> dict[str, dict]:
    """Split a COCO dictionary into disjoint ones by images.

    Args:
        coco (dict): With ``images`` and ``annotations``; other keys are kept in
            every split.
        sizes (dict[str, int]): Number of images of each split.
        seed (int): Of the random choice.

    Raises:
        ValueError: There are fewer images than asked for.
    """
    ids = sorted(image['id'] for image in coco['images'])
    if sum(sizes.values()) > len(ids):
        raise ValueError(
            f'sizes ask for {sum(sizes.values())} images, there are {len(ids)}'
        )
    random.Random(seed).shuffle(ids)
    splits = {}
    for name, size in sizes.items():
        chosen, ids = set(ids[:size]), ids[size:]
        splits[name] = dict(
            coco,
            images=[image for image in coco['images'] if image['id'] in chosen],
            annotations=[a for a in coco['annotations'] if a['image_id'] in chosen],
        )
    return splits


def write_splits(splits: dict[str, dict], out: Path) -> None:
    """Write every split to ``out/{name}.json``; a file is whole or absent."""
    out.mkdir(parents=True, exist_ok=True)
    for name, coco in splits.items():
        write_atomically(out / f'{name}.json', json.dumps(coco))
        print(
            f'{out / name}.json: {len(coco["images"])} images, '
            f'{len(coco["annotations"])} annotations'
        )


def main(argv=None):
    args = parse_args(argv)
    sizes = dict(args.sizes)
    try:
        if len(sizes) < len(args.sizes):
            raise ValueError('--sizes: a name is used twice')
        targets = [(args.out / f'{name}.json').resolve() for name in sizes]
        if args.annotations.resolve() in targets:
            raise ValueError(f'{args.annotations}: a split would overwrite its source')
        coco = load_annotations(args.annotations)
        write_splits(split_annotations(coco, sizes, args.seed), args.out)
    except (OSError, ValueError) as error:
        sys.exit(f'split_annotations: {error}')


if __name__ == '__main__':
    main()
