r"""Pose tracking figures of PoseTrack 2017, 2018 and 2021, as the official evaluator's.

    python tools/analysis_tools/evaluate_posetrack.py GT_DIR PRED_DIR --out report.json

Both folders hold one JSON file a sequence, under the same names. Prints AP and MOTA in
percent in the official evaluator's columns. The report has them by joint and sequence;
null stands for what is not defined. Frames that are not labelled do not count.
"""

import argparse
import json
import math
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import track

import ogn_mm  # noqa: F401
from ogn_mm.datasets.posetrack import sequence_files
from ogn_mm.engine.atomic_write import write_atomically
from ogn_mm.evaluation.functional import (
    PoseTrackReport,
    read_posetrack,
    remarks,
)


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('gt_dir', type=Path, help='folder of the ground truth')
    parser.add_argument('pred_dir', type=Path, help='folder of the predictions')
    parser.add_argument('--out', type=Path, help='JSON file for all figures')
    parser.add_argument(
        '--hota',
        action='store_true',
        help='HOTA and IDF1 as well, by TrackEval; takes several times as long',
    )
    return parser.parse_args(argv)


def evaluate(gt_dir: Path, pred_dir: Path, hota: bool = False) -> dict:
    """The report on two folders.

    Raises:
        OSError, ValueError: A file is missing or unusable.
        ImportError: TrackEval is needed and not installed.
    """
    report = PoseTrackReport(hota=hota)
    files = sequence_files(gt_dir)
    missing = [p for f in files if not (p := pred_dir / f.name).exists()]
    if missing:
        more = f' (and {len(missing) - 1} more)' if len(missing) > 1 else ''
        raise FileNotFoundError(f'{missing[0]}: there is no such file{more}')
    console = Console(stderr=True)
    for file in track(files, 'Evaluating', console=console, transient=True):
        truth = read_posetrack(file, truth=True)
        found = read_posetrack(pred_dir / file.name, truth=False)
        # The official evaluator names a sequence by what stands before the first dot.
        report.add(file.name.partition('.')[0], truth, found)
    return report.build()


def without_truth(gt_dir: Path, pred_dir: Path) -> list[str]:
    """A remark on prediction files for which there is no ground truth, if any."""
    names = {file.name for file in sequence_files(gt_dir)}
    extra = [file for file in sequence_files(pred_dir) if file.name not in names]
    if not extra:
        return []
    return [f'left out {len(extra)} files without ground truth, such as {extra[0]}']


def format_row(name: str, values: dict[str, float]) -> str:
    """A heading and a row of figures below it."""
    heading = ''.join(f'{column:>7}' for column in values)
    figures = ''.join(f'{value:7.1f}' for value in values.values())
    return f'{"":5}{heading}\n{name:<5}{figures}'


def format_table(report: dict) -> str:
    """The official evaluator's two tables, and what else there is."""
    ap, mot = report['table']['ap'], report['table']['mot']
    tracking = {column: mot[f'MOTA {column}'] for column in ap}
    tracking |= {name: mot[f'{name} Total'] for name in ('MOTP', 'Prec', 'Rec')}
    rows = [format_row('AP', ap), format_row('MOTA', tracking)]
    if 'identity' in report:
        names = {'HOTA': 'hota', 'DetA': 'deta', 'AssA': 'assa', 'IDF1': 'idf1'}
        totals = {k: report['identity'][f'{v}_total'] for k, v in names.items()}
        rows.append(format_row('', totals))
    return '\n'.join(rows)


def without_nan(value):
    """The same with None for NaN, which JSON does not know."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def main(argv=None):
    args = parse_args(argv)
    try:
        # before the work, not after
        if args.out and args.out.is_dir():
            raise ValueError(f'{args.out}: --out should be a file, found a folder')
        report = evaluate(args.gt_dir, args.pred_dir, args.hota)
        print(format_table(report))
        for remark in [*remarks(report), *without_truth(args.gt_dir, args.pred_dir)]:
            print(f'evaluate_posetrack: {remark}', file=sys.stderr)
        if args.out:
            named = dict(
                # GT_DIR may be a case's folder `gt`
                case=args.gt_dir.resolve().parent.name,
                description=f'{args.pred_dir} compared with {args.gt_dir}',
            )
            content = json.dumps(without_nan(named | report), indent=1)
            write_atomically(args.out, content)
    except (OSError, ValueError, ImportError) as error:
        raise SystemExit(f'evaluate_posetrack: {error}') from error


if __name__ == '__main__':
    main()
