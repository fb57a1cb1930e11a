r"""Join PoseTrack's sequences of a split into one COCO keypoint file.

For training on the frames of PoseTrack 2017, 2018 or 2021, by MMPose's
`PoseTrack18Dataset` and the data sets of this package:

    python tools/dataset_tools/convert_posetrack.py \
        data/posetrack18/annotations/train --images data/posetrack18 \
        --out data/posetrack18/annotations/posetrack18_train.json

Files of all years come out with the 17 joints of 2018, of which the ears are never
labelled.
"""

import argparse
import json
import sys
from pathlib import Path

from ogn_mm.datasets.checks import summarize
from ogn_mm.datasets.posetrack import read_folder, sequences_to_coco
from ogn_mm.engine.atomic_write import write_atomically


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'annotations', type=Path, help='folder of JSON files, one a sequence'
    )
    parser.add_argument(
        '--images',
        type=Path,
        required=True,
        help="folder that the images' names start from",
    )
    parser.add_argument('--out', type=Path, required=True, help='file to write')
    parser.add_argument(
        '--with-unlabelled',
        action='store_true',
        help='keep frames without labels as well: for test sequences',
    )
    return parser.parse_args(argv)


def main(argv=None):
    args = parse_args(argv)
    try:
        if args.out.resolve().parent == args.annotations.resolve():
            raise ValueError(
                f'{args.out}: would lie among the sequences; choose another folder'
            )
        if args.out.is_dir():
            raise ValueError(f'{args.out}: --out should be a file, found a folder')
        sequences = read_folder(args.annotations)
        coco, skipped, noted = sequences_to_coco(
            sequences, args.images, args.with_unlabelled
        )
        write_atomically(args.out, json.dumps(coco))
    except (ValueError, OSError) as error:
        sys.exit(f'convert_posetrack: {error}')
    people = sum(not person['iscrowd'] for person in coco['annotations'])
    loaded = f'{len(coco["images"])} images, {people} people'
    print(f'{args.out}: ' + summarize(loaded, skipped, noted))


if __name__ == '__main__':
    main()
