r"""Compare results by kinds of people: how crowded, of which shape, how large.

    python tools/analysis_tools/compare_people.py ANNOTATIONS RESULTS [RESULTS ...]

RESULTS are COCO keypoint results, such as the predictions.keypoints.json of a study's
runs. The table has the mean OKS of each kind of people, whatever the scores, and the
difference to the first results with its 95 % interval by a paired bootstrap over the
images. Where two networks differ for one kind of people alone, there lies the cause.
"""

import argparse
import contextlib
import io

import numpy as np
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from rich.progress import track
from xtcocotools.coco import COCO

import ogn_mm  # noqa: F401
from ogn_mm.datasets.categories import leave_out_boxes
from ogn_mm.datasets.checks import check_annotations
from ogn_mm.datasets.keypoint_names import note_keypoint_names
from ogn_mm.engine.json_files import read_json
from ogn_mm.evaluation import check_keypoint_results
from ogn_mm.evaluation.functional import (
    PersonMatches,
    bootstrap_mean,
    match_people,
)
from ogn_mm.structures.bbox import box_iou

# Lower ends of the kinds; the last one has no upper end.
OVERLAPS = (0.0, 0.05, 0.3)
RATIOS = (0.0, 0.35, 0.6, 0.9)  # of width to height
HEIGHTS = (0.0, 64.0, 128.0, 256.0)  # pixels


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('annotations', help='COCO keypoint annotation file')
    parser.add_argument('results', nargs='+', help='COCO keypoint results, .json')
    parser.add_argument(
        '--metainfo',
        default='configs/_base_/datasets/coco.py',
        help='config with the dataset_info of the skeleton; also one of MMPose',
    )
    return parser.parse_args(argv)


def read_matches(args: argparse.Namespace) -> list[PersonMatches]:
    """The annotated people with the poses of each file of results.

    Raises:
        ValueError: A file is unusable; the sentence names it and the field.
    """
    metainfo = parse_pose_metainfo(dict(from_file=args.metainfo))
    annotations = read_json(args.annotations)
    check_annotations(annotations, args.annotations, metainfo['num_keypoints'], True)
    note_keypoint_names(annotations, args.annotations, metainfo)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(args.annotations)
    leave_out_boxes(truth)
    matches = []
    for path in track(args.results, 'matching', transient=True):
        results = read_json(path)
        check_keypoint_results(results, path, annotations, metainfo)
        matches.append(match_people(truth, results, metainfo['sigmas'])[0])
    return matches


def largest_overlaps(people: PersonMatches) -> np.ndarray:
    """A person's largest IoU with another one of the image, (G,)."""
    x, y, width, height = people.boxes.T
    boxes = np.stack([x, y, x + width, y + height], axis=1)
    overlaps = np.zeros(len(boxes))
    for image in np.unique(people.image_ids):
        rows = np.flatnonzero(people.image_ids == image)
        pairs = box_iou(boxes[rows, None], boxes[rows])
        np.fill_diagonal(pairs, 0)
        overlaps[rows] = pairs.max(axis=1)
    return overlaps


def kinds_of_people(people: PersonMatches) -> dict[str, np.ndarray]:
    """Masks of people, (G,), by what they have in common."""
    width, height = people.boxes[:, 2:].T
    kinds = {'all': np.ones(len(width), bool)}
    for name, values, lows in (
        ('IoU with another', largest_overlaps(people), OVERLAPS),
        ('width / height', width / height, RATIOS),
        ('height', height, HEIGHTS),
    ):
        for low, high in zip(lows, [*lows[1:], np.inf], strict=True):
            words = f'{low:g} to {high:g}' if high < np.inf else f'from {low:g}'
            kinds[f'{name} {words}'] = (values >= low) & (values < high)
    return kinds


def compare(people: PersonMatches, other: PersonMatches, mask: np.ndarray) -> str:
    """Difference of the people's mean OKS, and its 95 % interval, in %."""
    _, rows, counts = np.unique(
        people.image_ids[mask], return_inverse=True, return_counts=True
    )
    differences = np.bincount(rows, 100 * (people.oks - other.oks)[mask])
    return '{:+.1f} [{:+.1f}, {:+.1f}]'.format(*bootstrap_mean(differences, counts))


def format_table(matches: list[PersonMatches]) -> str:
    """A row for each kind of people that there is, a column for each result."""
    first = matches[0]
    columns = ['people', 'number', *map('({})'.format, range(1, len(matches) + 1))]
    lines = [columns, ['---', *['--:'] * (len(columns) - 1)]]
    for kind, mask in kinds_of_people(first).items():
        if not mask.any():
            continue
        cells = [f'{100 * people.oks[mask].mean():.1f}' for people in matches]
        cells[1:] = [
            f'{cell}, {compare(people, first, mask)}'
            for cell, people in zip(cells[1:], matches[1:], strict=True)
        ]
        lines.append([kind, str(mask.sum()), *cells])
    return '\n'.join(f'| {" | ".join(cells)} |' for cells in lines)


def main(argv=None):
    args = parse_args(argv)
    try:
        matches = read_matches(args)
    except (OSError, ValueError) as error:
        raise SystemExit(f'compare_people: {error}') from error
    for number, path in enumerate(args.results, 1):
        print(f'({number}) {path}')
    print(f'\n{format_table(matches)}')


if __name__ == '__main__':
    main()
