"""Generate videos of people with identities, annotated as PoseTrack 2018 is.

People walk, run and stand about, cross and hide each other, come and leave; the camera
pans and zooms, and may be slow. The same arguments give the same bytes; interrupted,
the same command goes on.

    python tools/dataset_tools/generate_videos.py --out data/generated_videos
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from ogn_mm.datasets.generated_people import generate_videos
from ogn_mm.datasets.posetrack import read_sequence, sequence_files


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--out', default='data/generated_videos', help='folder')
    parser.add_argument('--num-train', type=int, default=60, help='training videos')
    parser.add_argument('--num-val', type=int, default=12, help='validation videos')
    parser.add_argument('--frames', type=int, default=40, help='frames a video')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--size', type=int, nargs=2, default=(320, 240), metavar=('W', 'H')
    )
    parser.add_argument(
        '--max-people',
        type=int,
        default=6,
        help='people a video: half of this to this many',
    )
    parser.add_argument('--workers', type=int, default=2, help='processes')
    parser.add_argument(
        '--preview',
        type=int,
        default=0,
        metavar='N',
        help='also write preview.png: N validation videos, a row each, with labels',
    )
    return parser.parse_args(argv)


def contact_sheet(folder, split: str, count: int, columns: int = 6) -> np.ndarray:
    """Frames of the first videos of a split, with boxes, joints and ignore regions.

    Every track has its colour; ignore regions are white.

    Returns:
        np.ndarray: (H, W, 3) uint8 BGR.
    """
    folder, rows = Path(folder), []
    for path in sequence_files(folder / 'annotations' / split)[:count]:
        _, frames, people = read_sequence(path)
        chosen = np.linspace(0, len(frames) - 1, columns).astype(int)
        tiles = []
        for frame in (frames[i] for i in chosen):
            tile = cv2.imread(str(folder / frame['file_name']))
            for region in frame['ignore_regions']:
                cv2.polylines(tile, [region.astype(int)], True, (255, 255, 255))
            for person in people:
                if person['image_id'] == frame['id']:
                    draw_labels(tile, person)
            tiles.append(tile)
        rows.append(np.hstack(tiles))
    return np.vstack(rows)


def draw_labels(image, person: dict) -> None:
    """Draw a person's boxes and joints in the colour of their track, in place."""
    hue = np.uint8([[[person['track_id'] * 67 % 180, 255, 255]]])
    colour = cv2.cvtColor(hue, cv2.COLOR_HSV2BGR)[0, 0].tolist()
    for box in (person['bbox'], person['bbox_head']):
        x, y, width, height = (round(v) for v in box)
        cv2.rectangle(image, (x, y), (x + width, y + height), colour)
    for x, y, flag in person['keypoints'].tolist():
        if flag:
            cv2.circle(image, (round(x), round(y)), 2, colour, -1)


def main(argv=None):
    args = parse_args(argv)
    try:
        if Path(args.out).is_file():
            raise ValueError(f'{args.out}: --out should be a folder, found a file')
        generate_videos(
            args.out,
            dict(train=args.num_train, val=args.num_val),
            frames=args.frames,
            seed=args.seed,
            size=tuple(args.size),
            max_people=args.max_people,
            workers=args.workers,
        )
    except (ValueError, OSError) as error:
        sys.exit(f'generate_videos: {error}')
    if args.preview > 0:
        sheet = contact_sheet(args.out, 'val', args.preview)
        cv2.imwrite(f'{args.out}/preview.png', sheet)


if __name__ == '__main__':
    main()
