"""The table and the plot of a study, from its ``results.json``."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from ogn_mm.engine.atomic_write import write_atomically
from ogn_mm.engine.json_files import read_object
from ogn_mm.engine.provenance import format_circumstances
from ogn_mm.evaluation.functional import bootstrap_difference
from ogn_mm.visualization import draw_curves, draw_scores

from .record import CURVES, unpack_matches

METRICS = {
    'AP': 'coco/AP',
    'AP50': 'coco/AP .5',
    'AP75': 'coco/AP .75',
    'AR': 'coco/AR',
    'box AP': 'coco/bbox_mAP',  # of detectors alone
}
NUM_RESAMPLES = 1000


def report_study(work_dir: Path) -> str:
    """Write ``table.md`` and ``study.png`` of a study; returns the table.

    Raises:
        ValueError: Rows that are to be compared were not tested on the same images.
    """
    study = read_object(work_dir / 'results.json', rows=list, runs=list)
    rows = {row['name']: [] for row in study['rows']}
    for run in study['runs']:
        rows[run['row']].append(run)
    rows = {name: runs for name, runs in rows.items() if runs}
    differences = {}
    if study['baseline'] in rows and len(rows) > 1:
        differences = compare_rows(rows, study['baseline'])
    table = format_table(study, rows, differences)
    write_atomically(work_dir / 'table.md', table)
    plot_study(rows, paper_results(study)).savefig(work_dir / 'study.png', dpi=150)
    return table


def compare_rows(rows: dict, baseline: str) -> dict[str, tuple]:
    """Difference in AP to the baseline, with an interval, of all the other rows."""
    matches = {
        name: [unpack_matches(run['matches']) for run in runs]
        for name, runs in rows.items()
    }
    return {
        name: bootstrap_difference(of_row, matches[baseline], NUM_RESAMPLES)
        for name, of_row in matches.items()
        if name != baseline
    }


def format_scores(values: list[float]) -> str:
    """The mean of several runs, with their standard deviation; empty without any."""
    if not values:
        return ''
    spread = f' ± {np.std(values, ddof=1):.1f}' if len(values) > 1 else ''
    return f'{np.mean(values):.1f}{spread}'


def format_table(study: dict, rows: dict, differences: dict) -> str:
    """The study's table in Markdown, with what is needed to judge it."""
    metrics = {
        label: key
        for label, key in METRICS.items()
        if all(key in run['metrics'] for runs in rows.values() for run in runs)
    }
    head = ['row', 'seeds', *metrics]
    papers = paper_results(study)
    head += ['AP, paper'] if papers else []
    head += [f'AP - AP of {study["baseline"]}'] if differences else []
    lines = [head, ['---', *['--:'] * (len(head) - 1)]]
    for name, runs in rows.items():
        cells = [name, str(len(runs))]
        for key in metrics.values():
            values = [100 * run['metrics'][key] for run in runs]
            cells.append(format_scores(values))
        if papers:
            cells.append(str(papers.get(name, '')))
        if name in differences:
            difference, low, high = (100 * value for value in differences[name])
            cells.append(f'{difference:+.1f} [{low:+.1f}, {high:+.1f}]')
        cells += [''] * (len(head) - len(cells))
        lines.append(cells)
    text = ''.join(f'| {" | ".join(cells)} |\n' for cells in lines)
    text += '\nMean ± standard deviation over the seeds, last checkpoint, in %.'
    if differences:
        text += (
            ' In brackets: 95 % interval of the difference by a paired bootstrap over '
            f'the test images ({NUM_RESAMPLES} resamples).'
        )
    if 'note' in study:
        text += f' {study["note"]}'
    if study['missing']:
        missing = study['missing']
        text += f' Missing: {len(missing)} run{"s" * (len(missing) > 1)}'
        text += f' ({"; ".join(missing)}).' if len(missing) < 5 else '.'
    text += '\n'
    text += format_circumstances(study['runs'], study['command'])
    return text + '\n'


def paper_results(study: dict) -> dict[str, float]:
    """The AP that the paper reports, of the rows that are rows of its tables."""
    return {row['name']: row['paper'] for row in study['rows'] if 'paper' in row}


def plot_study(rows: dict, papers: dict[str, float]) -> Figure:
    """Curves over the training, beside the AP of all runs."""
    figure = Figure(figsize=(12, max(4, 1.5 + 0.4 * len(rows))), layout='constrained')
    left, right = figure.subplots(1, 2)
    logs = {name: [run['curves'] for run in runs] for name, runs in rows.items()}
    for key, (scale, label) in CURVES.items():
        curves = {
            name: [
                [(x, scale * y) for x, y in log[key]] for log in of_row if key in log
            ]
            for name, of_row in logs.items()
        }
        if any(curves.values()):
            draw_curves(left, curves)
            left.set(xlabel=label[0], ylabel=label[1])
            break
    scores = {
        name: [100 * run['metrics']['coco/AP'] for run in runs]
        for name, runs in rows.items()
    }
    draw_scores(right, scores, papers)
    right.set(xlabel='AP of the last checkpoint, %')
    return figure
