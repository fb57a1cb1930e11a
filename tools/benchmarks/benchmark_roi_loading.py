r"""Time a training sample of ROI sampling, beside one image a person.

    OMP_NUM_THREADS=1 python tools/benchmarks/benchmark_roi_loading.py
    OMP_NUM_THREADS=1 python tools/benchmarks/benchmark_roi_loading.py \
        --ann-file data/coco_mini/annotations/person_keypoints_train2017.json \
        --img-dir data/coco_mini/train2017

Both load the same data set with the same transforms, in one process, in random order:
`ImageROIDataset` in groups of people of one image, the rival person by person as MMPose
does. Images are read from JPEG files; without ``--ann-file`` the script generates them.
"""

import argparse
import itertools
import tempfile
from pathlib import Path

import numpy as np
import torch
from mmengine.registry import init_default_scope

from benchmark_pipeline import RECIPE, training_pipeline
from ogn_mm.datasets import ImageROIDataset, ValidatedCocoDataset
from ogn_mm.datasets.generated_people import generate_dataset
from ogn_mm.datasets.transforms.seeding import TRAINING_CLOCK
from timing import compare, comparison_rows, format_table, use_one_thread


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--config',
        default=str(Path(__file__).parents[2] / RECIPE),
        help='config whose training pipeline is run (default: %(default)s)',
    )
    parser.add_argument('--ann-file', help='COCO keypoint annotations')
    parser.add_argument('--img-dir', help='folder of their images')
    parser.add_argument(
        '--rois', type=int, nargs='+', default=[4], help='people an image'
    )
    parser.add_argument('--samples', type=int, default=96, help='people a round')
    parser.add_argument('--rounds', type=int, default=15)
    args = parser.parse_args(argv)
    if bool(args.ann_file) != bool(args.img_dir):
        parser.error('--ann-file and --img-dir belong together')
    return args


def loader(dataset, count, people_an_item=1):
    """A function that loads the next ``count`` people, in random order."""
    order = itertools.cycle(np.random.default_rng(0).permutation(len(dataset)))

    def load():
        for _ in range(count // people_an_item):
            dataset[int(next(order))]

    return load


def people_an_image(roi_dataset):
    """Mean number of people in the images of a data set."""
    return len(roi_dataset.people) / (len(roi_dataset.first_person) - 1)


def main(argv=None):
    args = parse_args(argv)
    use_one_thread()
    init_default_scope('mmpose')
    pipeline = training_pipeline(args.config)
    # SeedAugmentation seeds, and people are shuffled, in announced epochs only
    TRAINING_CLOCK.copy_(torch.tensor([0, 0]))

    with tempfile.TemporaryDirectory() as folder:
        ann_file, img_dir = args.ann_file, args.img_dir
        if not ann_file:
            generate_dataset(folder, dict(train=40), size=(640, 480), max_people=8)
            ann_file = f'{folder}/annotations/train.json'
            img_dir = f'{folder}/images/train'
        people = ValidatedCocoDataset(
            ann_file=ann_file, data_prefix=dict(img=img_dir), pipeline=pipeline
        )
        rivals = {'one person an image': loader(people, args.samples)}
        for rois in args.rois:
            groups = ImageROIDataset(people, rois)
            rivals[f'{rois} people an image'] = loader(groups, args.samples, rois)
        seconds = compare(rivals, args.rounds, min_time=0)

    print(f'{len(people)} people, {people_an_image(groups):.3g} an image')
    rows = [
        (name, microseconds / args.samples, ratio)
        for name, microseconds, ratio in comparison_rows(seconds, next(iter(rivals)))
    ]
    print(format_table(('loading', 'us a sample', 'ratio'), rows))


if __name__ == '__main__':
    main()
