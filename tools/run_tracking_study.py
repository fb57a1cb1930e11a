r"""Test trackers on generated videos, with several kinds of detections and seeds.

A study file is an MMEngine config, see configs/studies/tracking.py: ``config`` of a
video model, ``seeds`` of the videos, ``videos`` (arguments of `generate_videos`; all
are for testing), ``trackers`` and ``detections`` (options by name, as after
``--cfg-options``) and the ``baseline`` among the trackers.

    python tools/run_tracking_study.py configs/studies/tracking.py \
        --out docs/results/tracking

generates the videos below ``--data``, tests every tracker on every kind of detections
with every seed, and writes ``results.json``, ``table.md`` and ``study.png``.
Interrupted, the same command goes on; what was tested with other settings is tested
anew. Networks that were trained anew under the same names are not noticed: give them a
new ``--out``.
"""

import argparse
import hashlib
import json
import shlex
import sys
import time
from itertools import product
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from mmengine.config import Config

from ogn_mm.datasets.generated_people import generate_videos
from ogn_mm.engine.atomic_write import write_atomically
from ogn_mm.engine.config_check import read_config
from ogn_mm.engine.json_files import check_object, read_object
from ogn_mm.engine.launch import build_runner
from ogn_mm.engine.provenance import (
    device_name,
    format_circumstances,
    package_versions,
)
from ogn_mm.evaluation.functional import bootstrap_mean
from ogn_mm.visualization import draw_scores
from study.lock import lock_folder
from study.report import format_scores
from study.run import git_state

STUDY_KEYS = ('config', 'seeds', 'videos', 'trackers', 'detections', 'baseline')
METRICS = ('MOTA', 'AP', 'IDF1', 'switches')
NUM_RESAMPLES = 1000


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('study', help='study file')
    parser.add_argument('--out', type=Path, required=True, help='results go here')
    parser.add_argument('--data', type=Path, default='data/tracking_study')
    parser.add_argument(
        '--seeds', type=int, nargs='+', help="instead of the study's seeds"
    )
    return parser.parse_args(argv)


def resolve_config(path: str, root: Path, seed: int, *options: dict) -> Config:
    """The config of a run; its test reads the videos below ``root``."""
    cfg = read_config(path, *options)
    cfg.randomness = dict(seed=seed)
    if cfg.model.type == 'VideoPoseOracle':  # its errors are random
        cfg.model.seed = seed
    cfg.test_dataloader.dataset.data_root = f'{root}/'
    cfg.test_evaluator.gt_dir = str(root / cfg.ann_dir)
    # in this process, so that the times are the tracker's alone
    cfg.test_dataloader.update(num_workers=0, persistent_workers=False)
    cfg.launcher = 'none'
    cfg.log_level = 'WARNING'
    return cfg


def time_calls(model, name: str) -> list[float]:
    """Let a model's method note its seconds in the list that is returned."""
    seconds, method = [], getattr(model, name)

    def timed(*args):
        start = time.perf_counter()
        result = method(*args)
        seconds.append(time.perf_counter() - start)
        return result

    setattr(model, name, timed)
    return seconds


def test_tracker(cfg: Config) -> dict:
    """Metrics, frames per second of the tracker, and MOTA of each video.

    Cues, optical flow and association count as the tracker, not detector and poses.
    """
    runner = build_runner(cfg)
    whole, *parts = (
        time_calls(runner.model, name) for name in ('track', 'detect', 'estimate')
    )
    metrics = runner.test()
    report = runner.test_evaluator.metrics[0].report
    return dict(
        metrics={
            name.rpartition('/')[2]: value
            for name, value in metrics.items()
            if name.startswith('posetrack/')
        },
        fps=len(whole) / (sum(whole) - sum(map(sum, parts))),
        videos={
            name: sequence['mot']['mota_total']
            for name, sequence in report['sequences'].items()
        },
    )


def plan_runs(study: dict, seeds: list[int], data: Path):
    """Names and config of every run, the baseline first of the trackers."""
    for detections, seed, tracker in product(
        study['detections'], seeds, study['trackers']
    ):
        options = [study['detections'][detections], study['trackers'][tracker]]
        cfg = resolve_config(study['config'], data / f'seed{seed}', seed, *options)
        yield dict(detections=detections, tracker=tracker, seed=seed), cfg


def read_runs(path: Path) -> dict[str, dict]:
    """The runs in ``results.json`` by the hash of their config.

    Raises:
        ValueError: It is damaged; the sentence names file and field.
    """
    runs = read_object(path, runs=list)['runs']
    for run in runs:
        check_object(run, str(path), hash=str, metrics=dict, videos=dict, seed=int)
        numbers = dict.fromkeys(METRICS, int | float)
        check_object(run['metrics'], str(path), **numbers)
    return {run['hash']: run for run in runs}


def run_study(study: dict, args: argparse.Namespace) -> dict:
    """Test what is not in ``results.json`` yet; returns its content."""
    path = args.out / 'results.json'
    finished = read_runs(path) if path.exists() else {}
    source = git_state()  # of the code that is loaded, whatever is committed later
    seeds = args.seeds or study['seeds']
    for seed in seeds:
        videos = dict(study['videos'])
        num_videos = dict(train=1, val=videos.pop('num_videos'))
        generate_videos(args.data / f'seed{seed}', num_videos, seed=seed, **videos)
    results = dict(
        command=shlex.join(['python', *sys.argv]), baseline=study['baseline'], runs=[]
    )
    for names, cfg in plan_runs(study, seeds, args.data):
        key = hashlib.sha256(cfg.pretty_text.encode()).hexdigest()
        if key not in finished:
            cfg.work_dir = str(args.data / 'logs')
            finished[key] = dict(
                **test_tracker(cfg),
                **names,
                hash=key,
                **source,
                versions=package_versions(),
                device=device_name(),
            )
            # also what comes later and was finished before
            write_atomically(
                path, json.dumps(results | dict(runs=list(finished.values())))
            )
        finished[key] |= names
        results['runs'].append(finished[key])
        print(names, finished[key]['metrics']['MOTA'], flush=True)
        write_atomically(args.out / 'table.md', format_table(results))
    write_atomically(path, json.dumps(results))
    plot_runs(results).savefig(args.out / 'study.png', dpi=150)
    return results


def group_runs(results: dict) -> dict[tuple[str, str], list[dict]]:
    """The runs of all seeds by detections and tracker."""
    groups = {}
    for run in results['runs']:
        groups.setdefault((run['detections'], run['tracker']), []).append(run)
    return groups


def plot_runs(results: dict) -> Figure:
    """MOTA of all runs, a panel for each kind of detections."""
    panels = {}
    for (detections, tracker), runs in group_runs(results).items():
        scores = [run['metrics']['MOTA'] for run in runs]
        panels.setdefault(detections, {})[tracker] = scores
    rows = sum(map(len, panels.values()))
    figure = Figure((8, 0.9 * len(panels) + 0.35 * rows), layout='constrained')
    heights = [1 + len(scores) for scores in panels.values()]
    axes = figure.subplots(
        len(panels), squeeze=False, sharex=True, height_ratios=heights
    )[:, 0]
    for panel, (detections, scores) in zip(axes, panels.items(), strict=True):
        draw_scores(panel, scores)
        panel.set_title(f'detections: {detections}', fontsize='medium', loc='left')
    axes[-1].set_xlabel('MOTA, %')
    return figure


def format_table(results: dict) -> str:
    """Means and standard deviations over the seeds, and differences to the baseline."""
    groups, baseline = group_runs(results), results['baseline']
    head = ['detections', 'tracker', *METRICS, 'frames/s', f'MOTA - MOTA of {baseline}']
    lines = [head, ['---', '---', *['--:'] * (len(head) - 2)]]
    for (detections, tracker), runs in groups.items():
        cells = [detections, tracker]
        for name in METRICS:
            values = [run['metrics'][name] for run in runs]
            cells.append(format_scores(values))
        cells.append(f'{np.median([run["fps"] for run in runs]):.0f}')
        difference = ''
        if tracker != baseline:
            numbers = compare_videos(runs, groups[detections, baseline])
            difference = '{:+.1f} [{:+.1f}, {:+.1f}]'.format(*numbers)
        lines.append([*cells, difference])
    text = ''.join(f'| {" | ".join(cells)} |\n' for cells in lines)
    runs = results['runs']
    seeds = sorted({run['seed'] for run in runs})
    text += (
        f'\nMean ± standard deviation over {len(seeds)} sets of videos (seeds '
        f'{", ".join(map(str, seeds))}), in %; switches: of joints, 15 a person; '
        'frames/s: median, cues, optical flow and association alone. Last column: mean '
        'over the videos of the difference in MOTA, with its 95 % interval by a paired '
        f'bootstrap over videos ({NUM_RESAMPLES} resamples).\n'
    )
    text += format_circumstances(runs, results['command'])
    return text + '\n'


def compare_videos(runs: list[dict], others: list[dict]) -> tuple[float, float, float]:
    """Mean difference in MOTA of all seeds' videos, and its 95 % interval."""
    by_seed = {run['seed']: run['videos'] for run in others}
    differences = np.array(
        [
            mota - by_seed[run['seed']][name]
            for run in runs
            for name, mota in run['videos'].items()
        ]
    )
    return bootstrap_mean(differences, num_resamples=NUM_RESAMPLES)


def main(argv=None):
    args = parse_args(argv)
    try:
        study = Config.fromfile(args.study).to_dict()
        missing = [key for key in STUDY_KEYS if key not in study]
        if missing:
            raise ValueError(f'a study of trackers needs `{"`, `".join(missing)}`')
        with lock_folder(args.out):
            print(format_table(run_study(study, args)))
    except KeyboardInterrupt:
        print('interrupted; the same command goes on from here')
        sys.exit(130)
    except (KeyError, ValueError, OSError) as error:
        sys.exit(f'run_tracking_study: {args.study}: {error}')


if __name__ == '__main__':
    main()
