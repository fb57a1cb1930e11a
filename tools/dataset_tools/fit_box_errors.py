r"""Measure a detector's errors, for training where its detections are not at hand.

    python tools/dataset_tools/fit_box_errors.py ANN.json DETECTIONS.json

prints the transform that displaces boxes likewise, ready to be pasted into a training
pipeline before `GetBBoxCenterScale`. Detections are matched to people as for training
on mixed boxes, and people count alike, however many detections they have. Take images
that the detector was not trained on: on its own training images it errs less.
"""

import argparse
import json
import sys

import numpy as np
from mmpose.registry import TASK_UTILS

from ogn_mm.datasets import MixedBoxCocoDataset
from ogn_mm.structures.bbox import box_errors, fit_box_errors


def parse_filter(text: str) -> dict:
    """The config of a box filter, which has to build."""
    try:
        config = json.loads(text)
        if not callable(TASK_UTILS.build(config)):
            raise TypeError('it cannot be called with boxes')
    except (KeyError, TypeError, ValueError) as error:
        reason = str(error).partition('. ')[0]
        raise argparse.ArgumentTypeError(
            f'{text} is no box filter: {reason}'
        ) from error
    return config


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('annotations', help='COCO keypoint annotations')
    parser.add_argument('detections', help='COCO detection results for their images')
    parser.add_argument(
        '--iou-thr',
        type=float,
        default=0.5,
        help='lowest IoU of a detection with its person (default: %(default)s)',
    )
    parser.add_argument(
        '--share',
        type=float,
        default=0.5,
        help='share of detections in training, of people who have one '
        '(default: %(default)s)',
    )
    parser.add_argument(
        '--filter',
        type=parse_filter,
        metavar='JSON',
        help='filter of the detections, e.g. \'{"type": "mmdet.GreedyBoxGeneration"}\'',
    )
    args = parser.parse_args(argv)
    if not 0 <= args.share <= 1:
        parser.error(f'--share: should be from 0 to 1, got {args.share}')
    return args


def fit(dataset: MixedBoxCocoDataset, share: float) -> dict:
    """Config of a `RandomDetectorError` that errs as the data set's detections do."""
    people = [dataset.get_data_info(i) for i in range(len(dataset))]
    counts = np.array([len(person['detected_bboxes']) for person in people])
    detected = np.concatenate([person['detected_bboxes'] for person in people])
    boxes = np.concatenate([person['bbox'] for person in people])
    weights = 1 / np.maximum(counts, 1)
    mean, covariance = fit_box_errors(
        box_errors(boxes.repeat(counts, axis=0), detected), weights.repeat(counts)
    )
    return dict(
        type='RandomDetectorError',
        mean=mean.round(5).tolist(),
        covariance=covariance.round(7).tolist(),
        share=round(share * float((counts > 0).mean()), 4),
        iou_thr=dataset.iou_thr,
    )


def show(config: dict) -> str:
    """A transform's config as Python code."""
    rows = ''.join(f'        {row},\n' for row in config['covariance'])
    return (
        f'dict(\n    type={config["type"]!r},\n    mean={config["mean"]},\n'
        f'    covariance=[\n{rows}    ],\n    share={config["share"]},\n'
        f'    iou_thr={config["iou_thr"]},\n),'
    )


def main(argv=None):
    args = parse_args(argv)
    try:
        dataset = MixedBoxCocoDataset(
            ann_file=args.annotations,
            detection_file=args.detections,
            detection_filter=args.filter,
            iou_thr=args.iou_thr,
            check_images=False,
        )
    except (OSError, ValueError) as error:
        sys.exit(f'fit_box_errors: {error}')
    try:
        config = fit(dataset, args.share)
    except ValueError as error:
        sys.exit(f'fit_box_errors: {args.detections}: {error}')
    print(show(config))


if __name__ == '__main__':
    main()
