"""Train and test a table of configs with several seeds, and compare them.

A study file is an MMEngine config:

    seeds = [0, 1, 2]
    baseline = 'MSRA'
    common_options = {'train_cfg.max_epochs': 30}
    rows = [
        dict(name='MSRA', config='configs/ogn_topdown/A.py'),
        dict(name='OGN', config='configs/ogn_topdown/B.py'),
        dict(name='OGN, R = 2', config='configs/ogn_topdown/B.py',
             cfg_options={'codec.radius': 2.0}),
        dict(name='OGN, flip test', config='configs/ogn_topdown/B.py',
             cfg_options={'model.test_cfg.flip_test': True}, weights_of='OGN'),
    ]

``baseline``, ``seeds`` and options may be left out. A row may have ``paper``, the AP
that a paper reports for it, which then stands beside ours; the study may have a
``note`` to stand below the table. Paths of configs are as on tools/train.py's command
line, and options as after ``--cfg-options``; in addition, one of ``codec`` reaches
every place where the config uses its codec. A row with ``weights_of`` is not trained:
it tests the weights of another row, seed by seed. One with ``predictions_of`` is not
even tested: its metric measures what another row predicted, so that scores and
suppression of poses are compared without the network.

    python tools/run_study.py STUDY.py --work-dir work_dirs/study --jobs 2

trains each row with each seed by tools/train.py and tests its last checkpoint (not the
best, which would be chosen on the reported data) by tools/test.py. ``--gpus 8`` starts
both by dist_train.sh and dist_test.sh, ``--slurm PARTITION`` with it by slurm_train.sh
and slurm_test.sh. Interrupted, the same command goes on: what is finished is kept, the
rest is resumed; a run whose config has changed is set aside and done anew. A run that
fails stops no other one. Below the work directory:

    ROW/seed0.py    the resolved config, e.g. for tools/visualize_predictions.py
    ROW/seed0/      checkpoints, logs, predictions; console.log is all that was printed
    results.json    metrics, overrides, versions, commit, device and times of each run
    table.md        means over the seeds and differences to the baseline
    study.png       validation curves and the AP of all runs

The seed's config and its result.json, a few kilobytes, are all that is needed later:
a copy of them is a work directory in which the study goes on, as in docs/results.
"""

import argparse
import json
import os
import shlex
import signal
import sys
import time
from pathlib import Path

import torch

from ogn_mm.engine.atomic_write import write_atomically
from study.display import Display
from study.launch import Launcher
from study.lock import lock_folder
from study.plan import load_study, plan_runs
from study.record import read_result
from study.report import report_study
from study.run import Run


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('study', help='study file')
    parser.add_argument('--work-dir', type=Path, required=True, help='results go here')
    parser.add_argument(
        '--jobs',
        type=int,
        default=1,
        help='runs at a time; several GPUs are given out in turn',
    )
    parser.add_argument(
        '--gpus', type=int, default=1, help='processes of a run, by dist_train.sh'
    )
    parser.add_argument(
        '--slurm',
        metavar='PARTITION',
        help='start runs on a cluster, by slurm_train.sh',
    )
    parser.add_argument(
        '--seeds', type=int, nargs='+', help="instead of the study's seeds"
    )
    parser.add_argument('--rows', nargs='+', metavar='NAME', help='run these rows only')
    parser.add_argument(
        '--report', action='store_true', help='run nothing, report what is finished'
    )
    args = parser.parse_args(argv)
    for name in ('jobs', 'gpus'):
        if getattr(args, name) < 1:
            parser.error(f'--{name} must be at least 1')
    args.launcher = Launcher(args.gpus, args.slurm)
    return args


def job_environments(jobs: int, launcher: Launcher) -> list[dict]:
    """Environment variables of each job: its share of the cores, GPUs and ports."""
    env = dict(os.environ)
    cores = len(os.sched_getaffinity(0))
    share = cores // (jobs * launcher.processes)
    if launcher.partition is None:
        env.setdefault('OMP_NUM_THREADS', str(max(1, share)))
    count = torch.cuda.device_count()
    gpus = env.get('CUDA_VISIBLE_DEVICES', ','.join(map(str, range(count)))).split(',')
    gpus = gpus if count else []
    return [env | launcher.environment(i, gpus) for i in range(jobs)]


def execute(runs: list[Run], display: Display, slots: list[dict], lock) -> None:
    """Do all runs, one a slot at a time; an interruption ends them."""
    waiting, running = list(runs), {}
    try:
        with display.progress:
            while waiting or running:
                while slots and (run := next((r for r in waiting if r.ready), None)):
                    waiting.remove(run)
                    env = slots.pop()
                    running[run] = env
                    run.start(env, lock)
                time.sleep(0.2)
                for run in [run for run in running if run.proceed()]:
                    slots.append(running.pop(run))
                    display.announce(run)
                display.update(list(running), len(waiting))
                if not running and not any(run.ready for run in waiting):
                    break
    finally:
        for run in running:
            run.kill()
    for run in waiting:
        run.error = f'it needs {run.source}, which is not finished'


def write_results(study: dict, runs: list[Run], work_dir: Path) -> None:
    """Gather the results of the finished runs in ``results.json``."""
    results = [
        dict(
            read_result(run.result),
            config=str(run.config.relative_to(work_dir)),
            folder=str(run.folder.relative_to(work_dir)),
        )
        for run in runs
        if run.finished
    ]
    content = dict(
        command=shlex.join(['python', *sys.argv]),
        baseline=study.get('baseline'),
        rows=study['rows'],
        **{key: study[key] for key in ('note',) if key in study},
        missing=[str(run) for run in runs if not run.finished],
        runs=results,
    )
    write_atomically(work_dir / 'results.json', json.dumps(content))


def run_pending(runs: list[Run], args: argparse.Namespace) -> list[Run]:
    """Do what is not finished yet; returns the runs that failed.

    Raises:
        ValueError: Another process works in this folder.
    """
    pending = [run for run in runs if not run.finished]
    print(f'{len(runs)} runs, {len(runs) - len(pending)} of them already finished')
    with lock_folder(args.work_dir) as lock:
        slots = job_environments(args.jobs, args.launcher)
        execute(pending, Display(len(runs), len(pending)), slots, lock)
    return [run for run in pending if run.error]


def main(argv=None):
    args = parse_args(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        study = load_study(args.study)
        names = [row['name'] for row in study['rows']]
        if set(args.rows or ()) - set(names):
            raise ValueError(f'--rows: {args.rows} are not all of the rows {names}')
        seeds = dict.fromkeys(args.seeds or study.get('seeds', [0]))
        runs = plan_runs(study, list(seeds), args.work_dir, args.launcher)
        chosen = [run for run in runs if run.row in (args.rows or names)]
        failed = [] if args.report else run_pending(chosen, args)
        for run in failed:
            print(f'failed: {run}: {run.error} (see {run.log})', file=sys.stderr)
        if not any(run.finished for run in runs):
            raise ValueError('no run is finished, there is nothing to report')
        write_results(study, runs, args.work_dir)
        print(report_study(args.work_dir))
    except KeyboardInterrupt:
        print('interrupted; the same command goes on from here')
        sys.exit(130)
    except (ValueError, OSError, SyntaxError) as error:
        sys.exit(f'run_study: {args.study}: {error}')
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
