r"""What pose networks cost: parameters, FLOPs, latency and memory.

    OMP_NUM_THREADS=1 python tools/analysis_tools/model_cost.py CONFIG... --out costs.md

writes a Markdown table, costs.json and, where a score is known, costs.png, AP against
latency. A score is given by ``--ap NAME=AP``, NAME being the config's. A run of a study
(ROW/seed0.py in the work directory of tools/run_study.py) brings its row's name and
mean AP along:

    python tools/analysis_tools/model_cost.py docs/results/STUDY/*/seed0.py --out x.md
    python tools/analysis_tools/model_cost.py --study docs/results/STUDY --out x.md

The second takes all rows that have a result.
FLOPs are MMEngine's count for a forward pass, in which a multiplication with its
addition counts once. The latency is that of network and decoding together, from
normalized inputs to keypoints in the image, without reading, cropping and resizing.
Networks take turns, on one CPU thread and, where there is a GPU, on that; weights are
random. Memory is what PyTorch holds at most for weights, inputs and maps, on a
CPU by its profiler; what libraries take beside that is not in it.

A top-down network of MMPose gets a batch of crops, FLOPs are those of one, and both
passes of a flip test count where ``model.test_cfg`` asks for one. A detector of
MMDetection gets one image of 640x480, resized as its test pipeline says; with random
weights it finds as many people as it keeps at most, and each gets keypoints. So the two
kinds are not to be compared by one row each.
"""

import argparse
import json
import shlex
import sys
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from rich.progress import track

from ogn_mm.engine.atomic_write import write_atomically
from ogn_mm.engine.json_files import check_object, read_object
from ogn_mm.engine.launch import summarize_error
from ogn_mm.engine.provenance import (
    format_circumstances,
    package_versions,
    processor_name,
)
from ogn_mm.visualization.curves import COLORS

TOOLS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TOOLS), str(TOOLS / 'benchmarks')]

from network_cost import (  # noqa: E402
    count_cost,
    load_network,
    measure_memory,
    move_to_gpu,
    time_networks,
)
from study.run import git_state  # noqa: E402
from timing import format_table, use_one_thread  # noqa: E402

# titles of the table, and which number they show in which unit
COLUMNS = {
    'network': ('name', None),
    'input (h x w)': ('input_size', None),
    'parameters, M': ('parameters', 1e6),
    'FLOPs, G': ('flops', 1e9),
    'flip test': ('flip_test', None),
    'people': ('people', None),
    'CPU, ms': ('cpu_ms', 1),
    'CPU memory, MiB': ('cpu_memory', 2**20),
    'GPU, ms': ('gpu_ms', 1),
    'GPU memory, MiB': ('gpu_memory', 2**20),
    'AP, %': ('ap', 1),
}
NOTE = (
    'Latency: median of {rounds} turns; network and decoding for as many people as the '
    'table says, both passes of a flip test; without reading, cropping and resizing. '
    'FLOPs: one pass, of top-down networks for one person, a multiplication with its '
    'addition counted once.'
)


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('configs', nargs='*', metavar='CONFIG')
    parser.add_argument(
        '--study', type=Path, metavar='DIR', help='work directory of a study'
    )
    parser.add_argument('--out', type=Path, metavar='FILE.md')
    parser.add_argument(
        '--ap', nargs='+', type=parse_score, default=[], metavar='NAME=AP', help='in %%'
    )
    parser.add_argument('--people', type=int, default=1, help='crops in a batch')
    parser.add_argument('--rounds', type=int, default=10, help='turns of each network')
    args = parser.parse_args(argv)
    for name in ('people', 'rounds'):
        if getattr(args, name) < 1:
            parser.error(f'--{name} must be at least 1')
    if not args.configs and not args.study:
        parser.error('CONFIG or --study is needed')
    if args.out and args.out.suffix != '.md':
        parser.error(f'--out {args.out}: the file has to end on .md')
    return args


def find_rows(study: Path) -> list[str]:
    """The config of one run of each row that has a result.

    Raises:
        ValueError: There is none.
    """
    rows = {}
    for path in sorted(study.glob('*/seed*/result.json')):
        rows.setdefault(path.parents[1], f'{path.parent}.py')
    if not rows:
        raise ValueError(f'--study {study}: there is no result of a run')
    return list(rows.values())


def parse_score(text: str) -> tuple[str, float]:
    name, _, score = text.rpartition('=')
    try:
        return name, float(score)
    except ValueError:
        raise argparse.ArgumentTypeError(f'expected NAME=AP: {text}') from None


def identify(config: str) -> dict:
    """Name of a config; that of its row, and the AP, if it is a run of a study.

    Raises:
        ValueError: A result of the study is unusable.
    """
    paths = sorted(Path(config).parent.glob('seed*/result.json'))
    if not paths:
        return dict(name=Path(config).stem, config=config)
    results = [read_object(path, row=str, metrics=dict) for path in paths]
    for path, result in zip(paths, results, strict=True):
        check_object(result['metrics'], str(path), **{'coco/AP': int | float})
    ap = 100 * np.mean([result['metrics']['coco/AP'] for result in results])
    return dict(name=results[0]['row'], config=config, ap=float(ap))


def measure(args: argparse.Namespace) -> list[dict]:
    """One dictionary for each network, as written to the JSON file.

    Raises:
        ValueError: A config cannot be measured, or two have the same name.
    """
    rows, networks = {}, {}
    configs = args.configs + (find_rows(args.study) if args.study else [])
    for config in track(configs, 'Counting', transient=True):
        try:
            row = identify(config)
            network = load_network(config, args.people)
            row |= count_cost(network)
        except Exception as error:  # a config may run any code
            reason = summarize_error(error, config)
            raise ValueError(f'{config}: {reason}') from error
        name = row['name']
        if name in rows:
            raise ValueError(f'{config}: another one is called {name}, too')
        row['cpu_memory'] = measure_memory(network)
        rows[name], networks[name] = row, network
    for name, ap in args.ap:
        if name not in rows:
            raise ValueError(f'--ap {name}: is none of the networks {", ".join(rows)}')
        rows[name]['ap'] = ap
    measured = [time_networks(networks, args.rounds, 'cpu')]
    if torch.cuda.is_available():
        moved = {name: move_to_gpu(network) for name, network in networks.items()}
        measured.append({name: memory for name, (_, memory) in moved.items()})
        networks = {name: network for name, (network, _) in moved.items()}
        measured.append(time_networks(networks, args.rounds, 'gpu'))
    for results in measured:
        for name, result in results.items():
            rows[name] |= result
    return list(rows.values())


def describe_run(args: argparse.Namespace) -> dict:
    """Under which circumstances was measured."""
    devices = [f'{processor_name()}, one thread']
    if torch.cuda.is_available():
        devices.append(torch.cuda.get_device_name())
    return dict(
        command=shlex.join(['python', *sys.argv]),
        **git_state(),
        versions=package_versions(),
        device='; '.join(devices),
        people=args.people,
        rounds=args.rounds,
    )


def format_report(rows: list[dict], run: dict) -> str:
    """The table in Markdown, with what is needed to judge it."""
    columns = {
        title: column
        for title, column in COLUMNS.items()
        if any(column[0] in row for row in rows)
    }
    cells = [
        [
            row[key] / unit if unit and key in row else row.get(key)
            for key, unit in columns.values()
        ]
        for row in rows
    ]
    return '\n'.join(
        [
            format_table(list(columns), cells),
            '',
            NOTE.format(**run),
            format_circumstances([run], run['command']),
            '',
        ]
    )


def plot_rows(rows: list[dict]) -> Figure | None:
    """AP against latency and its quartiles, on each device; None if no AP is known."""
    rows = [row for row in rows if 'ap' in row]
    if not rows:
        return None
    devices = [device for device in ('cpu', 'gpu') if f'{device}_ms' in rows[0]]
    figure = Figure(figsize=(2 + 5 * len(devices), 4.5), layout='constrained')
    panels = figure.subplots(1, len(devices), squeeze=False)[0]
    for device, axes in zip(devices, panels, strict=True):
        for index, row in enumerate(rows):
            low, median, high = np.percentile(row[f'{device}_ms_rounds'], [25, 50, 75])
            axes.errorbar(
                median,
                row['ap'],
                xerr=[[median - low], [high - median]],
                fmt='os^Dv'[index // len(COLORS) % 5],
                color=COLORS[index % len(COLORS)],
                markersize=8,
                label=row['name'],
            )
        thread = ', one thread' if device == 'cpu' else ''
        axes.set(xlabel=f'latency on the {device.upper()}{thread}, ms', ylabel='AP, %')
        axes.margins(0.1)
        axes.grid(alpha=0.3)
        axes.spines[['top', 'right']].set_visible(False)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc='outside right center', frameon=False, fontsize='small'
    )
    return figure


def main(argv=None):
    args = parse_args(argv)
    use_one_thread()
    try:
        rows, run = measure(args), describe_run(args)
        report = format_report(rows, run)
        if args.out:
            args.out.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(args.out, report)
            content = json.dumps(dict(run, networks=rows), indent=2)
            write_atomically(args.out.with_suffix('.json'), content)
            figure = plot_rows(rows)
            if figure:
                figure.savefig(args.out.with_suffix('.png'), dpi=150)
        print(report)
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')


if __name__ == '__main__':
    main()
