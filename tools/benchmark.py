"""Run a named suite of experiments and gather the outcome on one page.

A suite is a file of configs/benchmarks: for each size a list of command lines of this
package's tools. One that tests a row of the paper may be a dict of the ``command``, the
``row`` and what the ``paper`` reports, by the names of the test's metrics. What each
suite needs: docs/suites.md.

    python tools/benchmark.py table1 --size smoke

`smoke` takes minutes on a CPU and shows that everything runs; `mini` is meant for one
GPU and about 20 minutes; `full` is the paper's experiment, on a cluster: ``--gpus 8``
starts trainings and tests by dist_train.sh and dist_test.sh, ``--slurm PARTITION`` with
it by slurm_train.sh and slurm_test.sh. The commands run one after another; interrupted,
the same command goes on. A command that is done is done again when code, configs or
what commands before it printed have changed since; studies are always asked, and keep
those of their runs that are the same. Into ``--out`` come what the tools write, and

    report.md      the tables that they printed, and their plots
    rows.png       the metrics of the rows of the paper beside what it reports
    report.json    the same tables, commands, times, versions, commit and device
"""

import argparse
import hashlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import torch

from ogn_mm.engine.atomic_write import write_atomically
from ogn_mm.engine.json_files import check_object, read_object
from ogn_mm.engine.provenance import device_name, package_versions
from study.lock import lock_folder
from study.run import SOURCES, git_state
from study.suite import SUITES, goes_on_by_itself, load_suite
from study.suite_report import format_metrics, read_tables, report_suite

ROOT = Path(__file__).resolve().parents[1]
SIZES = ('smoke', 'mini', 'full')


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = ', '.join(sorted(path.stem for path in SUITES.glob('*.py')))
    parser.add_argument('suite', help=f'{names}, or the path of a suite')
    parser.add_argument('--size', choices=SIZES, required=True)
    parser.add_argument(
        '--out', type=Path, help='default: work_dirs/benchmark/SUITE-SIZE'
    )
    parser.add_argument('--dry-run', action='store_true', help='print the commands')
    group = parser.add_argument_group('passed on to tools/run_study.py')
    group.add_argument(
        '--jobs', type=int, help='default: one for each --gpus of this machine'
    )
    group.add_argument('--gpus', type=int, default=1)
    group.add_argument('--slurm', metavar='PARTITION')
    group.add_argument('--seeds', type=int, nargs='+')
    args = parser.parse_args(argv)
    if args.jobs is None:
        free = 0 if args.slurm else torch.cuda.device_count()
        args.jobs = max(1, free // max(1, args.gpus))
    for name in ('jobs', 'gpus'):
        if getattr(args, name) < 1:
            parser.error(f'--{name} must be at least 1')
    name = Path(args.suite).stem
    args.out = args.out or Path('work_dirs/benchmark', f'{name}-{args.size}')
    if Path.cwd() != ROOT:  # which is where the commands run
        args.out = args.out.absolute()
        if args.suite.endswith('.py'):
            args.suite = str(Path(args.suite).absolute())
    return args


def hash_sources() -> str:
    """Of the package, its tools and configs: results are of one state of these."""
    digest = hashlib.sha256()
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob('*')):
            if path.is_file() and '__pycache__' not in path.parts:
                digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()


def hash_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def run_step(words: list[str], lock) -> tuple[int, str]:
    """Run a command line, showing what it prints; returns status and output.

    Args:
        words (list[str]): The command line; an interruption ends it.
        lock: An open file that the process keeps open as well.
    """
    if words[0] == 'python':
        words = [sys.executable, '-W', 'ignore', *words[1:]]
    output = []
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get('PYTHONPATH')]))
    with subprocess.Popen(
        words,
        cwd=ROOT,
        env=dict(os.environ, PYTHONPATH=path),
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=[lock.fileno()],
    ) as child:
        try:
            for line in child.stdout:
                print(line, end='', flush=True)
                output.append(line)
        except KeyboardInterrupt:
            child.terminate()
            child.wait()
            raise
    return child.returncode, ''.join(output)


def printed_result(output: str) -> str:
    """What a tool printed from its first table on; empty without a table."""
    found = re.search(r'^\|', output, re.MULTILINE)
    return output[found.start() :].strip() if found else ''


def written_metrics(words: list[str]) -> dict[str, float]:
    """The metrics that a test wrote to its ``--out``; none if it is no test."""
    if '--out' not in words:
        return {}
    path = ROOT / words[words.index('--out') + 1]
    return read_object(path) if path.suffix == '.json' and path.is_file() else {}


def find_plots(words: list[str], out: Path) -> list[str]:
    """The pictures in the folders below ``out`` that a command line names, and beside
    the tables that it names."""
    out = ROOT / out
    paths = [path for word in words if (path := ROOT / word).is_relative_to(out)]
    plots = [plot for path in paths if path.is_dir() for plot in path.glob('*.png')]
    beside = [path.with_suffix('.png') for path in paths if path.suffix == '.md']
    plots += [plot for plot in beside if plot.exists()]
    return [
        str(plot.relative_to(out)) for plot in sorted(set(plots) - {out / 'rows.png'})
    ]


def read_steps(record: Path) -> dict[str, dict]:
    """The steps that are done, by their commands.

    Raises:
        ValueError: The record is damaged; the sentence names file and field.
    """
    steps = read_object(record, steps=list)['steps']
    for step in steps:
        check_object(step, str(record), command=str, printed=str, plots=list)
    return {step['command']: step for step in steps}


def run_suite(args: argparse.Namespace, commands: list[dict], lock) -> None:
    """Run what is not finished yet and write the reports after every step.

    Raises:
        ValueError: A command failed.
    """
    record, name = args.out / 'report.json', f'{Path(args.suite).stem}, {args.size}'
    finished = read_steps(record) if record.exists() else {}
    sources = hash_sources()
    steps = []
    for number, entry in enumerate(commands, 1):
        words = entry['words']
        command = shlex.join(words)
        print(f'[{number}/{len(commands)}] {command}', flush=True)
        same = finished.get(command, {}).get('sources') == sources
        if not same or goes_on_by_itself(words):
            before = finished[command]['seconds'] if same else 0
            start, state = time.time(), git_state()
            code, output = run_step(words, lock)
            if code:
                raise ValueError(f'this command ended with status {code}: {command}')
            metrics = written_metrics(words)
            printed = printed_result(output) or format_metrics(metrics)
            finished[command] = dict(
                seconds=round(before + time.time() - start, 1),
                printed=printed,
                metrics=metrics,
                tables=read_tables(printed),
                plots=find_plots(words, args.out),
                sources=sources,
                **state,
                versions=package_versions(),
                device=device_name(),
            )
        # what follows may depend on it
        sources = hash_text(sources + finished[command]['printed'])
        of_paper = {key: entry[key] for key in ('row', 'paper') if key in entry}
        steps.append(dict(finished[command], command=command, **of_paper))
        write_atomically(record, json.dumps(dict(name=name, steps=steps), indent=1))
        report_suite(name, steps, args.out)
    print(f'\n{args.out / "report.md"}')


def main(argv=None):
    args = parse_args(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if ROOT.name == '.mim':
            raise ValueError('suites run in a checkout, this is an installed package')
        os.chdir(ROOT)
        commands = load_suite(args)
        if args.dry_run:
            print('\n'.join(shlex.join(entry['words']) for entry in commands))
        else:
            if args.slurm:
                os.environ['GPUS'] = str(args.gpus)
            # beside that of a study in the same folder
            with lock_folder(args.out, '.suite.lock') as lock:
                run_suite(args, commands, lock)
    except KeyboardInterrupt:
        print('interrupted; the same command goes on from here')
        sys.exit(130)
    except (ValueError, OSError, SyntaxError) as error:
        sys.exit(f'benchmark: {args.suite}: {error}')


if __name__ == '__main__':
    main()
