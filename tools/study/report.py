"""The table and the plot of a study, from its ``results.json``."""

import contextlib
import io
import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS
from xtcocotools.coco import COCO

from ogn_mm.evaluation.functional import (
    PoseMatches,
    average_precision,
    bootstrap_difference,
    match_poses,
)
from ogn_mm.visualization import draw_curves, draw_scores

from .plan import find_coco_metric

METRICS = {
    'AP': 'coco/AP',
    'AP50': 'coco/AP .5',
    'AP75': 'coco/AP .75',
    'AR': 'coco/AR',
}
# Scale and labels of the curves; the first that was logged is drawn.
CURVES = {
    'coco/AP': (100, ('epoch', 'AP on the validation data, %')),
    'acc_pose': (100, ('iteration', 'keypoints found in training, %')),
    'loss': (1, ('iteration', 'training loss')),
}
NUM_RESAMPLES = 1000


def report_study(work_dir: Path) -> str:
    """Write ``table.md`` and ``study.png`` of a study; returns the table.

    Raises:
        ValueError: Predictions and metrics contradict each other, or rows that are to
            be compared were not tested on the same images.
    """
    study = json.loads((work_dir / 'results.json').read_text())
    rows = {row['name']: [] for row in study['rows']}
    for run in study['runs']:
        rows[run['row']].append(run)
    rows = {name: runs for name, runs in rows.items() if runs}
    differences = {}
    if study['baseline'] in rows and len(rows) > 1:
        differences = compare_rows(work_dir, rows, study['baseline'])
    table = format_table(study, rows, differences)
    (work_dir / 'table.md').write_text(table)
    plot_study(work_dir, rows).savefig(work_dir / 'study.png', dpi=150)
    return table


def compare_rows(work_dir: Path, rows: dict, baseline: str) -> dict[str, tuple]:
    """Difference in AP to the baseline, with an interval, of all the other rows."""
    matches = {
        name: [load_matches(work_dir, run) for run in runs]
        for name, runs in rows.items()
    }
    return {
        name: bootstrap_difference(of_row, matches[baseline], NUM_RESAMPLES)
        for name, of_row in matches.items()
        if name != baseline
    }


def load_matches(work_dir: Path, run: dict) -> PoseMatches:
    """Match the predictions of a run to the annotations that it was tested on."""
    cfg = Config.fromfile(work_dir / run['config'])
    init_default_scope(cfg.get('default_scope', 'mmpose'))
    dataset = DATASETS.build(dict(cfg.test_dataloader.dataset, lazy_init=True))
    metric = find_coco_metric(cfg)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(metric.get('ann_file') or dataset.ann_file)
    predictions = work_dir / run['folder'] / 'predictions.keypoints.json'
    matches = match_poses(
        truth, predictions, dataset.metainfo['sigmas'], metric.get('use_area', True)
    )
    ap = average_precision(matches).mean()
    if not np.isclose(ap, run['metrics']['coco/AP'], atol=1e-6):
        raise ValueError(
            f'{predictions}: gives AP {ap:.4f}, the test gave '
            f'{run["metrics"]["coco/AP"]:.4f}; the annotations have changed since'
        )
    return matches


def format_table(study: dict, rows: dict, differences: dict) -> str:
    """The study's table in Markdown, with what is needed to judge it."""
    head = ['row', 'seeds', *METRICS]
    head += [f'AP - AP of {study["baseline"]}'] if differences else []
    lines = [head, ['---', *['--:'] * (len(head) - 1)]]
    for name, runs in rows.items():
        cells = [name, str(len(runs))]
        for key in METRICS.values():
            values = [100 * run['metrics'][key] for run in runs]
            spread = f' ± {np.std(values, ddof=1):.1f}' if len(values) > 1 else ''
            cells.append(f'{np.mean(values):.1f}{spread}')
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
    if study['missing']:
        text += f' Missing: {"; ".join(study["missing"])}.'
    text += '\n'
    runs = study['runs']
    commits = {f'{r["commit"]}{" (changed)" if r["dirty"] else ""}' for r in runs}
    versions = {', '.join(f'{k} {v}' for k, v in r['versions'].items()) for r in runs}
    for name, values in (
        ('Command', {study['command']}),
        ('Commit', commits),
        ('Versions', versions),
        ('Device', {run['device'] for run in runs}),
    ):
        text += f'\n- {name}: {"; ".join(sorted(values))}'
    return text + '\n'


def plot_study(work_dir: Path, rows: dict) -> Figure:
    """Curves over the training, beside the AP of all runs."""
    figure = Figure(figsize=(12, max(4, 1.5 + 0.4 * len(rows))), layout='constrained')
    left, right = figure.subplots(1, 2)
    logs = {
        name: [read_scalars(work_dir / run['folder']) for run in runs]
        for name, runs in rows.items()
    }
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
    draw_scores(right, scores)
    right.set(xlabel='AP of the last checkpoint, %')
    return figure


def read_scalars(folder: Path) -> dict[str, list[tuple]]:
    """What MMEngine logged in a run and its resumptions: (step, value) by name."""
    curves = {}
    for path in sorted(folder.glob('*/vis_data/scalars.json')):
        for line in path.read_text().splitlines():
            try:
                entry = json.loads(line)
            except ValueError:  # cut off by a kill
                continue
            for key in entry.keys() & CURVES.keys():
                # what was repeated after a resumption counts
                curves.setdefault(key, {})[entry['step']] = entry[key]
    return {key: sorted(curve.items()) for key, curve in curves.items()}
