r"""Time Greedy Box Generation and its rivals, as ratios to NMS in the same run.

    OMP_NUM_THREADS=1 python tools/benchmarks/benchmark_boxes.py

RPN-like boxes are loosely regressed anchors of many sizes: a third lie around a few
people, the rest all over the image. Most R-CNN-like boxes lie closely around the
people. Scores follow the IoU with the nearest person. soft_nms is the linear one.
"""

import argparse
from typing import NamedTuple

import numpy as np
import torch
from mmcv.ops import nms, soft_nms
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy, bbox_overlaps

from ogn_mm.structures.bbox import greedy_box_generation
from timing import compare, format_table, median_ratio, use_one_thread

BASELINE = 'nms'
IMAGE_SIZE = (1333, 800)  # width and height in pixels
NUM_PEOPLE = 12


class Kind(NamedTuple):
    """How a detector's boxes are spread.

    Attributes:
        near (float): Share of the boxes that are around people.
        deviation (float): Of their centres, as a share of the person's width and
            height, and of the logarithms of their sizes.
    """

    near: float
    deviation: float


KINDS = {'RPN-like': Kind(0.33, 0.15), 'R-CNN-like': Kind(0.8, 0.05)}


def sample_people(rng):
    """Standing people as centres and sizes, (P, 4)."""
    height = np.exp(rng.uniform(np.log(60), np.log(500), NUM_PEOPLE))
    width = height * rng.uniform(0.3, 0.6, NUM_PEOPLE)
    centre = rng.uniform(0.1, 0.9, (NUM_PEOPLE, 2)) * IMAGE_SIZE
    return np.column_stack([centre, width, height])


def sample_anchors(count, rng):
    """Jittered anchors of five sizes and three ratios as centres and sizes, (N, 4)."""
    size = 2.0 ** rng.integers(5, 10, count) * np.exp(rng.normal(0, 0.2, count))
    ratio = np.sqrt(rng.choice([0.5, 1, 2], count))
    centre = rng.uniform(0, 1, (count, 2)) * IMAGE_SIZE
    return np.column_stack([centre, size * ratio, size / ratio])


def sample_boxes(kind, count, rng):
    """Boxes x1, y1, x2, y2 (N, 4) and scores (N,) of a :class:`Kind`, float32."""
    people = sample_people(rng)
    boxes = sample_anchors(count, rng)
    near = rng.random(count) < kind.near
    person = people[rng.integers(0, NUM_PEOPLE, near.sum())]
    noise = rng.normal(0, kind.deviation, person.shape)
    boxes[near, :2] = person[:, :2] + noise[:, :2] * person[:, 2:]
    boxes[near, 2:] = person[:, 2:] * np.exp(noise[:, 2:])
    boxes, people = (
        bbox_cxcywh_to_xyxy(torch.from_numpy(b)).float() for b in (boxes, people)
    )
    iou = bbox_overlaps(boxes, people).max(dim=1).values
    noise = torch.from_numpy(rng.normal(0, 1, count)).float()
    return boxes, (10 * (iou - 0.6) + noise).sigmoid()


def filters(boxes, scores):
    """The rivals by name: calls that return the indices of the kept boxes."""
    return {
        BASELINE: lambda: nms(boxes, scores, 0.5)[1],
        'soft_nms': lambda: soft_nms(boxes, scores, 0.5)[1],
        'GBG': lambda: greedy_box_generation(boxes, scores),
    }


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--counts', nargs='+', type=int, default=[1000, 5000, 20000], metavar='N'
    )
    parser.add_argument('--rounds', type=int, default=15)
    return parser.parse_args(argv)


def main(argv=None):
    args = parse_args(argv)
    use_one_thread()
    rows = []
    for name, kind in KINDS.items():
        for count in args.counts:
            boxes, scores = sample_boxes(kind, count, np.random.default_rng(0))
            rivals = filters(boxes, scores)
            seconds = compare(rivals, args.rounds)
            for rival, call in rivals.items():
                ratio = median_ratio(seconds[rival], seconds[BASELINE])
                time = np.median(seconds[rival]) * 1e3
                rows.append((name, count, rival, time, ratio, len(call())))
    header = ('boxes', 'number', 'filter', 'ms', f'ratio to {BASELINE}', 'kept')
    print(format_table(header, rows))


if __name__ == '__main__':
    main()
