"""Runs of the tools that are killed, and what has to be left of them."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys

import tiny_pose
import torch

import ogn_mm.engine.checkpoint  # noqa: F401

HERE = pathlib.Path(__file__).parent
# Scalars of the log that depend on the machine.
TIMES = ('time', 'data_time', 'memory')


@contextlib.contextmanager
def fork_server(output, *folders, cwd=None):
    """A function that runs a tool as fork_server.py says; prints into a file.

    The tools import from ``folders`` as well, and run in ``cwd``.
    """
    path = [str(tiny_pose.ROOT), str(HERE), *map(str, folders)]
    env = dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=':'.join(path))
    with (
        open(output, 'w') as file,
        subprocess.Popen(
            [sys.executable, str(HERE / 'fork_server.py')],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=file,
            env=env,
            cwd=cwd,
            text=True,
        ) as server,
    ):

        def run(tool, arguments, **options):
            call = dict(tool=tool, arguments=list(map(str, arguments)), **options)
            print(json.dumps(call), file=server.stdin, flush=True)
            return json.loads(server.stdout.readline())

        yield run


def equal(a, b):
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b


def read_log(work_dir):
    """What was logged by step: losses, learning rates and metrics, of all attempts."""
    log = {}
    for path in sorted(work_dir.glob('*/vis_data/scalars.json')):
        for line in path.read_text().splitlines():
            entry = json.loads(line)
            step = 'train' if 'loss' in entry else 'val', entry['step']
            log[step] = {k: v for k, v in entry.items() if not k.endswith(TIMES)}
    return log


def require_same_training(straight, killed):
    """Files, weights, optimizer, schedulers, losses, metrics: all bit for bit."""
    names = {path.name for path in straight.glob('*.pth')}
    # neither more checkpoints nor the remains of a write
    assert names == {path.name for path in killed.glob('*.pth')}
    assert not list(killed.glob('.*'))
    for name in names:
        a, b = (torch.load(folder / name) for folder in (straight, killed))
        for part in ('state_dict', 'optimizer', 'param_schedulers'):
            assert equal(a.get(part), b.get(part)), (name, part)
        assert (a['meta']['epoch'], a['meta']['iter']) == (
            b['meta']['epoch'],
            b['meta']['iter'],
        )
        losses = [c['message_hub']['log_scalars']['train/loss'].data[0] for c in (a, b)]
        assert losses[0].tolist() == losses[1].tolist()
    assert read_log(straight) == read_log(killed)
    notes = [(f / 'last_checkpoint').read_text() for f in (straight, killed)]
    assert len({pathlib.Path(note).name for note in notes}) == 1


def require_whole_checkpoints(work_dir):
    """Every checkpoint can be read, and `last_checkpoint` names one, if it exists."""
    for path in work_dir.glob('*.pth'):
        torch.load(path)
    note = work_dir / 'last_checkpoint'
    if note.exists():
        assert pathlib.Path(note.read_text()).is_file()
