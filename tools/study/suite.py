"""The command lines of a suite of experiments."""

import argparse
import re
import shlex
from pathlib import Path

from mmengine.config import Config

from .launch import TOOLS

SUITES = TOOLS.parent / 'configs/benchmarks'


def load_suite(args: argparse.Namespace) -> list[dict]:
    """The commands of a suite, for the machines that it is to run on.

    Args:
        args (argparse.Namespace): ``suite``, ``size``, ``out``, ``jobs``, ``gpus``,
            ``slurm`` and ``seeds``.

    Returns:
        list[dict]: The ``words`` of each command; ``row`` and ``paper`` of some.

    Raises:
        ValueError: There is no such suite, or it lacks the size, or seeds.
    """
    path = Path(args.suite)
    if path.suffix != '.py':
        path = SUITES / f'{args.suite}.py'
    if not path.is_file():
        raise ValueError(f'no such suite: {path}')
    suite = Config.fromfile(path)
    entries = [
        dict(command=entry) if isinstance(entry, str) else dict(entry)
        for entry in suite.get(args.size) or []
    ]
    if not entries:
        raise ValueError(f'the suite has no commands for `{args.size}`')
    once = [entry for entry in entries if '{seed}' not in entry['command']]
    with_seed = [entry for entry in entries if '{seed}' in entry['command']]
    if (
        args.seeds
        and not with_seed
        and not any('{study}' in e['command'] for e in once)
    ):
        raise ValueError(f'--seeds: the suite has no seeds for `{args.size}`')
    places = fill_places(args, f'{path.stem}-{args.size}')
    expanded = [(entry, places) for entry in once]
    for seed in args.seeds or suite.get('seeds', [0]):
        expanded += [(entry, places | dict(seed=seed)) for entry in with_seed]
    return [
        dict(entry, words=shlex.split(entry['command'].format(**filled)))
        for entry, filled in expanded
    ]


def fill_places(args: argparse.Namespace, job: str) -> dict[str, str]:
    """What stands for the names in braces in a suite's commands.

    ``{train} CONFIG {to} WORK_DIR`` and ``{test} CONFIG CHECKPOINT {gpus}`` start one
    training and test, ``{detect}`` tools/detect_people.py, ``{study} DIR STUDY`` a
    study; ``{cost}`` measures what the networks of the study in ``{out}``, the suite's
    folder, cost; ``{seed}`` is each seed in turn.
    """
    gpus = args.gpus
    options = ['--jobs', args.jobs, '--gpus', gpus]
    options += ['--slurm', args.slurm] if args.slurm else []
    options += ['--seeds', *args.seeds] if args.seeds else []
    out = shlex.quote(str(args.out))
    cost = (
        f'python tools/analysis_tools/model_cost.py --study {out} --out {out}/costs.md'
    )
    places = dict(
        out=out,
        cost=cost,
        study=f'python tools/run_study.py {shlex.join(map(str, options))} --work-dir',
        train='bash tools/dist_train.sh',
        to=f'{gpus} --work-dir',
        test='bash tools/dist_test.sh',
        gpus=str(gpus),
        detect='python tools/detect_people.py',
    )
    if gpus > 1:
        places['detect'] = (
            f'python -m torch.distributed.run --nproc_per_node={gpus}'
            ' tools/detect_people.py --launcher pytorch'
        )
    if args.slurm:  # the scripts take the number of GPUs from the environment
        on_node = min(gpus, 8)
        where = shlex.join([args.slurm, job])
        places |= dict(train=f'bash tools/slurm_train.sh {where}', to='')
        places |= dict(test=f'bash tools/slurm_test.sh {where}', gpus='')
        places['detect'] = (
            f'srun -p {shlex.quote(args.slurm)} --job-name={job} --gres=gpu:{on_node}'
            f' --ntasks={gpus} --ntasks-per-node={on_node}'
            ' python -u tools/detect_people.py --launcher slurm'
        )
    return places


def goes_on_by_itself(words: list[str]) -> bool:
    """Whether a command is a study, which knows itself what is left to do."""
    return any(re.search(r'tools/run_\w*study\.py$', word) for word in words[:2])
