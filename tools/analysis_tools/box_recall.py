r"""Recall of people against the number of boxes an image, for several ways to choose.

From one file of raw detections (a `-raw` config of configs/person_detector and
tools/detect_people.py) boxes are chosen by NMS, soft-NMS and Greedy Box Generation,
and the first n of each image are matched with the people.

    python tools/analysis_tools/box_recall.py ANN.json DETECTIONS.json --out box_recall

writes box_recall/box_recall.md, .json and .png.
"""

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use('Agg')
import matplotlib.pyplot as plt
import numpy as np
import torch
from mmcv.ops import nms, soft_nms
from mmdet.registry import TASK_UTILS
from rich.progress import track

import ogn_mm  # noqa: F401
from ogn_mm.datasets.categories import (
    PERSON,
    check_categories,
    keypoint_categories,
    listed,
)
from ogn_mm.datasets.detections import load_detections
from ogn_mm.engine.atomic_write import write_atomically
from ogn_mm.engine.json_files import Records, read_object
from ogn_mm.evaluation.functional import recall_curve
from ogn_mm.visualization.curves import draw_curves

IOU_THRS = (0.5, 0.75, 0.9)
CAPS = (5, 10, 20, 50, 100)


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('annotations', help='COCO annotation file')
    parser.add_argument('detections', help='COCO detection file, not suppressed')
    parser.add_argument('--out', type=Path, default='box_recall', help='folder')
    parser.add_argument(
        '--nms', type=float, nargs='+', default=[0.5, 0.6, 0.7, 0.8, 0.9]
    )
    parser.add_argument(
        '--gbg',
        type=parse_object,
        default={},
        metavar='JSON',
        help='parameters of GreedyBoxGeneration, e.g. \'{"top_n": 2}\'',
    )
    parser.add_argument('--max-boxes', type=int, default=100, help='boxes an image')
    args = parser.parse_args(argv)
    if args.max_boxes < 1:
        parser.error('--max-boxes: should be at least 1')
    if not all(0 < threshold <= 1 for threshold in args.nms):
        parser.error('--nms: should be in (0, 1]')
    return args


def parse_object(text: str) -> dict:
    """A JSON object of the command line."""
    value = json.loads(text)
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f'should be a JSON object, got {text}')
    return value


def load(annotations: str, detections: str):
    """Read both files.

    Returns:
        tuple[list, list, list]: For each image the boxes (G, 4) of its people, without
        crowds and ignored ones, and boxes (N, 4) and scores (N,) of its detections
        that have an area, by falling score; x1, y1, x2, y2.

    Raises:
        ValueError: A file is not of COCO's form; the message names file and field.
    """
    content = read_object(annotations, images=list, annotations=list)
    content = dict(categories=[PERSON]) | content
    lists = {
        field: Records(content[field], kind, annotations)
        for field, kind in (('images', 'image'), ('annotations', 'annotation'))
    }
    index = {image_id: i for i, image_id in enumerate(lists['images'].unique_ids())}
    check_categories(content, annotations)
    kinds = lists['annotations'].column('category_id', int)
    categories = keypoint_categories(content)
    for flag in ('iscrowd', 'ignore'):
        lists['annotations'].flags(flag)
    people = [
        person
        for person, kind in zip(lists['annotations'].items, kinds, strict=True)
        if not person.get('iscrowd') and not person.get('ignore') and kind in categories
    ]
    if not people:
        raise ValueError(
            f"{annotations}: field 'annotations' holds nobody of category "
            f'{listed(categories)} who counts'
        )
    truth = lists['annotations']._replace(items=people)
    unknown = [image_id not in index for image_id in truth.column('image_id', int)]
    truth.report(unknown, "'image_id' is unknown")
    boxes = truth.numbers('bbox', 4)
    boxes[:, 2:] += boxes[:, :2]
    images = np.array([index[i] for i in truth.column('image_id', int)], int)
    found, _ = load_detections(detections, list(index), categories)
    found = found.take(np.argsort(-found.scores, kind='stable'))
    return (
        by_image(boxes, images, len(index)),
        by_image(found.boxes, found.images, len(index)),
        by_image(found.scores, found.images, len(index)),
    )


def by_image(values: np.ndarray, images: np.ndarray, num_images: int) -> list:
    """The values of each image, in their order."""
    order = np.argsort(images, kind='stable')
    cuts = np.searchsorted(images[order], np.arange(1, num_images))
    return np.split(values[order], cuts)


def build_methods(nms_thrs, gbg: dict) -> dict:
    """Name -> function from boxes (N, 4) and scores (N,) to kept indices in order."""
    greedy = TASK_UTILS.build(dict(type='mmdet.GreedyBoxGeneration', **gbg))
    methods = {
        f'NMS {threshold:g}': lambda b, s, t=threshold: nms(b, s, t)[1]
        for threshold in nms_thrs
    }
    for kind in ('linear', 'gaussian'):
        methods[f'soft-NMS {kind}'] = lambda b, s, m=kind: soft_nms(
            b, s, iou_threshold=0.5, method=m
        )[1]
    return methods | {
        'GBG': greedy,
        'none': lambda b, s: slice(None),
    }


def choose(method, boxes: list, scores: list, name: str) -> list:
    """The boxes of each image that a method keeps, in its order."""
    kept = []
    images = zip(boxes, scores, strict=True)
    for image, values in track(images, total=len(boxes), description=name):
        chosen = method(torch.from_numpy(image), torch.from_numpy(values))
        chosen = chosen if isinstance(chosen, slice) else chosen.numpy()
        kept.append(image[chosen] if len(image) else image)
    return kept


def measure(people, kept, max_boxes: int) -> dict:
    """Recall and mean number of boxes for 1 to ``max_boxes`` boxes an image."""
    counts = np.array([len(boxes) for boxes in kept])
    limits = np.arange(1, max_boxes + 1)
    recall = recall_curve(people, kept, IOU_THRS, max_boxes)
    return dict(
        kept=counts.mean(),
        boxes=np.minimum(counts[:, None], limits).mean(axis=0).tolist(),
        recall={str(t): r.tolist() for t, r in zip(IOU_THRS, recall, strict=True)},
    )


def format_table(results: dict, max_boxes: int) -> str:
    """A Markdown table: mean boxes an image and recall in percent, at some limits."""
    caps = [cap for cap in CAPS if cap < max_boxes] + [max_boxes]
    columns = ' | '.join(f'at most {cap}' for cap in caps)
    lines = [f'| method | kept | {columns} |', '|---|' + '---|' * (len(caps) + 1)]
    for name, result in results.items():
        cells = [
            f'{result["boxes"][cap - 1]:.1f}: '
            + ' / '.join(f'{100 * r[cap - 1]:.1f}' for r in result['recall'].values())
            for cap in caps
        ]
        lines.append(f'| {name} | {result["kept"]:.1f} | ' + ' | '.join(cells) + ' |')
    thresholds = ' / '.join(map(str, IOU_THRS))
    lines += ['', f'Cells: boxes an image: recall at IoU {thresholds}, percent.', '']
    return '\n'.join(lines)


def plot(results: dict, path: Path) -> None:
    """Recall against the mean number of boxes an image, a panel for each IoU."""
    figure, panels = plt.subplots(1, len(IOU_THRS), figsize=(13, 4), sharey=True)
    for axes, threshold in zip(panels, map(str, IOU_THRS), strict=True):
        curves = {
            name: [list(zip(result['boxes'], result['recall'][threshold], strict=True))]
            for name, result in results.items()
        }
        draw_curves(axes, curves)
        axes.set(title=f'IoU {threshold}', xlabel='boxes an image', xscale='log')
    panels[0].set_ylabel('recall of people')
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main(argv=None):
    args = parse_args(argv)
    try:
        people, boxes, scores = load(args.annotations, args.detections)
        args.out.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise SystemExit(f'box_recall: {error}') from error
    try:
        methods = build_methods(args.nms, args.gbg)
    except (ValueError, TypeError) as error:
        raise SystemExit(f'box_recall: --gbg: {error}') from error
    results = {
        name: measure(people, choose(method, boxes, scores, name), args.max_boxes)
        for name, method in methods.items()
    }
    write_atomically(args.out / 'box_recall.json', json.dumps(results))
    plot(results, args.out / 'box_recall.png')
    table = format_table(results, args.max_boxes)
    write_atomically(args.out / 'box_recall.md', table)
    print(table)


if __name__ == '__main__':
    main()
