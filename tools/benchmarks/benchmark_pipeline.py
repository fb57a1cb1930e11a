r"""Time a training sample by transform, beside MMPose's pipeline in the same run.

    OMP_NUM_THREADS=1 python tools/benchmarks/benchmark_pipeline.py
    OMP_NUM_THREADS=1 python tools/benchmarks/benchmark_pipeline.py \
        --ann-file data/people1k/annotations/train.json \
        --img-dir data/people1k/images

The rival is MMPose's own pipeline with UDPHeatmap combined and the same amount of
augmentation, or the training pipeline of any other config (``--rival``). Images
are read from JPEG files; without ``--ann-file`` the script generates them.
"""

import argparse
import copy
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope

from ogn_mm.datasets import ValidatedCocoDataset
from ogn_mm.datasets.generated_people import generate_dataset
from ogn_mm.datasets.transforms.seeding import TRAINING_CLOCK, seed_generators
from timing import format_table, median_ratio, use_one_thread

RECIPE = 'configs/ogn_topdown/td-ogn_res50-2deconv_8xb8-22e_coco-256x192.py'


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--config',
        default=str(Path(__file__).parents[2] / RECIPE),
        help='config with the training pipeline to time (default: %(default)s)',
    )
    parser.add_argument('--rival', help='config to compare with, instead of MMPose')
    parser.add_argument('--ann-file', help='COCO keypoint annotations')
    parser.add_argument('--img-dir', help='folder of their images')
    parser.add_argument('--samples', type=int, default=200, help='people a round')
    parser.add_argument('--rounds', type=int, default=15)
    args = parser.parse_args(argv)
    if bool(args.ann_file) != bool(args.img_dir):
        parser.error('--ann-file and --img-dir belong together')
    return args


def training_pipeline(config):
    """A config's training pipeline; annotated boxes serve, as there are no others."""
    dataset = Config.fromfile(config).train_dataloader.dataset
    dataset = dataset.get('dataset', dataset)
    return [step for step in dataset.pipeline if step.type != 'RandomDetectedBox']


def mmpose_pipeline(ours):
    """MMPose's pipeline for the input, heatmaps and augmentation of ours.

    Args:
        ours (Compose): The pipeline to compare with.

    Returns:
        list[dict]: Configs of the transforms.
    """
    by_name = {upstream_name(t): t for t in ours.transforms}
    encoder = by_name['GenerateTarget'].encoder
    jitter = by_name['RandomBBoxTransform']
    jitter_arguments = (
        'shift_factor shift_prob scale_factor scale_prob rotate_factor rotate_prob'
    )
    return [
        dict(type='LoadImage'),
        dict(type='GetBBoxCenterScale', padding=by_name['GetBBoxCenterScale'].padding),
        dict(type='RandomFlip', prob=by_name['RandomFlip'].prob),
        dict(
            type='RandomBBoxTransform',
            **{name: getattr(jitter, name) for name in jitter_arguments.split()},
        ),
        dict(type='TopdownAffine', input_size=encoder.input_size),
        dict(
            type='GenerateTarget',
            encoder=dict(
                type='UDPHeatmap',
                heatmap_type='combined',
                input_size=encoder.input_size,
                heatmap_size=encoder.heatmap_size,
            ),
        ),
        dict(type='PackPoseInputs'),
    ]


def upstream_name(transform):
    """Name of the MMPose transform that a transform is or inherits from."""
    for cls in type(transform).__mro__:
        if cls.__module__.startswith('mmpose.'):
            return cls.__name__
    return type(transform).__name__


def load_samples(ann_file, img_dir, count):
    """The first people of an annotation file, as the dataset gives them."""
    dataset = ValidatedCocoDataset(
        ann_file=ann_file, data_prefix=dict(img=img_dir), pipeline=[]
    )
    return [dataset.get_data_info(i % len(dataset)) for i in range(count)]


def time_pipeline(pipeline, sample, seconds):
    """Run one sample; add each transform's time to ``seconds`` by name."""
    results = copy.deepcopy(sample)
    # the rivals flip the same samples
    seed_generators(0, 0, sample['sample_idx'])
    for transform in pipeline.transforms:
        start = time.perf_counter()
        results = transform(results)
        seconds[upstream_name(transform)] += time.perf_counter() - start


def time_pipelines(pipelines, samples, rounds):
    """Time rivals in turns, sample by sample.

    Args:
        pipelines (dict[str, Compose]): The rivals.
        samples (list[dict]): What goes in.
        rounds (int): Number of times that all samples are run.

    Returns:
        dict[str, dict[str, np.ndarray]]: Seconds a sample by rival and transform,
        shape (rounds,).
    """
    timings = {
        rival: {upstream_name(t): np.zeros(rounds) for t in pipeline.transforms}
        for rival, pipeline in pipelines.items()
    }
    for number in range(-1, rounds):  # the first one warms up
        sums = {rival: dict.fromkeys(names, 0.0) for rival, names in timings.items()}
        for i, sample in enumerate(samples):
            for rival in list(pipelines)[:: 1 if (i + number) % 2 else -1]:
                time_pipeline(pipelines[rival], sample, sums[rival])
        if number >= 0:
            for rival, names in timings.items():
                for name, values in names.items():
                    values[number] = sums[rival][name] / len(samples)
    return timings


def table_rows(ours, rival):
    """Rows of microseconds and ratio, by transform and for the whole pipeline.

    Args:
        ours (dict[str, np.ndarray]): Seconds by transform and round.
        rival (dict[str, np.ndarray]): The same of the rival.
    """
    rows = []
    for name in dict.fromkeys([*ours, *rival]):
        rows.append(table_row(name, ours.get(name), rival.get(name)))
    return [*rows, table_row('all', sum(ours.values()), sum(rival.values()))]


def table_row(name, ours, rival):
    columns = [
        None if seconds is None else float(np.median(seconds) * 1e6)
        for seconds in (ours, rival)
    ]
    return name, *columns, None if None in columns else median_ratio(ours, rival)


def main(argv=None):
    args = parse_args(argv)
    use_one_thread()
    init_default_scope('mmpose')
    ours = Compose(training_pipeline(args.config))
    rival = training_pipeline(args.rival) if args.rival else mmpose_pipeline(ours)
    pipelines = dict(ours=ours, rival=Compose(rival))
    # SeedAugmentation seeds in announced epochs only
    TRAINING_CLOCK.copy_(torch.tensor([0, 0]))

    with tempfile.TemporaryDirectory() as folder:
        ann_file, img_dir = args.ann_file, args.img_dir
        if not ann_file:
            generate_dataset(folder, dict(train=40), size=(640, 480))
            ann_file = f'{folder}/annotations/train.json'
            img_dir = f'{folder}/images/train'
        samples = load_samples(ann_file, img_dir, args.samples)
        timings = time_pipelines(pipelines, samples, args.rounds)

    title = ('transform', 'us', 'rival us', 'ratio')
    print(format_table(title, table_rows(timings['ours'], timings['rival'])))


if __name__ == '__main__':
    main()
