"""Generate pictures of people with COCO keypoint annotations.

The data set for the demo and the tests, and for trying things out where COCO is not at
hand. The same arguments give the same bytes; interrupted, the same command goes on.

    python tools/dataset_tools/generate_people.py --out data/generated_people
"""

import argparse
import json
import sys
from pathlib import Path

import cv2
import numpy as np

from ogn_mm.datasets.generated_people import generate_dataset


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--out', default='data/generated_people', help='folder')
    parser.add_argument('--num-train', type=int, default=2000, help='training images')
    parser.add_argument('--num-val', type=int, default=300, help='validation images')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--size', type=int, nargs=2, default=(320, 240), metavar=('W', 'H')
    )
    parser.add_argument(
        '--max-people', type=int, default=3, help='people an image, 1 to this many'
    )
    parser.add_argument(
        '--max-overlap',
        type=float,
        default=0.45,
        help="largest share of a person's box that another one's covers; 0.8: crowds",
    )
    parser.add_argument('--workers', type=int, default=2, help='processes')
    parser.add_argument(
        '--preview',
        type=int,
        default=0,
        metavar='N',
        help='also write preview.png: N validation images with keypoints drawn',
    )
    return parser.parse_args(argv)


def contact_sheet(folder, split: str, count: int, columns: int = 4) -> np.ndarray:
    """The first images of a split, enlarged, with boxes, limbs and keypoints drawn.

    Left keypoints are green, right ones red, those of the middle yellow; hidden ones
    are rings.

    Returns:
        np.ndarray: (H, W, 3) uint8 BGR.
    """
    zoom, folder = 2, Path(folder)
    coco = json.loads((folder / 'annotations' / f'{split}.json').read_text())
    (category,) = coco['categories']
    tiles = {}
    for image in coco['images'][:count]:
        tile = cv2.imread(str(folder / 'images' / split / image['file_name']))
        tiles[image['id']] = cv2.resize(tile, None, fx=zoom, fy=zoom)
    for person in coco['annotations']:
        tile = tiles.get(person['image_id'])
        if tile is None:
            continue
        left, top, width, height = (zoom * v for v in person['bbox'])
        cv2.rectangle(tile, (left, top, width, height), (255, 255, 0), 1)
        joints = np.reshape(person['keypoints'], (-1, 3))
        places = ((joints[:, :2] + 0.5) * zoom - 0.5).round().astype(int).tolist()
        for a, b in category['skeleton']:
            if joints[a - 1, 2] and joints[b - 1, 2]:
                cv2.line(tile, places[a - 1], places[b - 1], (255, 255, 255), 1)
        for name, place, flag in zip(
            category['keypoints'], places, joints[:, 2], strict=True
        ):
            side = dict(left=(0, 255, 0), right=(0, 0, 255)).get(name.split('_')[0])
            if flag:
                cv2.circle(
                    tile, place, 3, side or (0, 255, 255), -1 if flag == 2 else 1
                )
    tiles = list(tiles.values())
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return np.vstack(rows)


def main():
    args = parse_args()
    try:
        generate_dataset(
            args.out,
            dict(train=args.num_train, val=args.num_val),
            seed=args.seed,
            size=tuple(args.size),
            max_people=args.max_people,
            max_overlap=args.max_overlap,
            workers=args.workers,
        )
    except (OSError, ValueError) as error:
        sys.exit(f'generate_people: {error}')
    if args.preview > 0:
        sheet = contact_sheet(args.out, 'val', args.preview)
        cv2.imwrite(f'{args.out}/preview.png', sheet)


if __name__ == '__main__':
    main()
