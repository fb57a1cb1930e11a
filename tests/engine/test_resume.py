"""A training that is killed again and again ends as one that is not."""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys

import pytest
import tiny_pose
import torch

import ogn_mm.engine.checkpoint  # noqa: F401

EPOCHS, ITERATIONS = 3, 6


@pytest.fixture
def train(tmp_path):
    """A function that runs tools/train.py in a process and returns its exit code."""
    config = tiny_pose.write_config(tmp_path)
    path = [str(tiny_pose.ROOT), str(pathlib.Path(__file__).parent)]
    env = dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=':'.join(path))
    with (
        open(tmp_path / 'output.txt', 'w') as output,
        subprocess.Popen(
            [sys.executable, path[1] + '/fork_server.py'],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            env=env,
            text=True,
        ) as server,
    ):

        def run(work_dir, *arguments, **options):
            options = [f'{key}={value}' for key, value in options.items()]
            call = [str(config), '--work-dir', str(work_dir), *arguments]
            call += ['--cfg-options', *options] if options else []
            print(json.dumps(call), file=server.stdin, flush=True)
            return int(server.stdout.readline())

        yield run


def equal(a, b):
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b


def compare_killed_to_uninterrupted(train, folder, kills):
    """Train with a kill at each of ``kills`` = (iteration, event), and without."""
    killed, straight = folder / 'killed', folder / 'straight'
    for _, kill in sorted(kills):
        # without a given seed: the one drawn first has to be kept, too
        options = {'default_hooks.kill.at': kill, 'randomness.seed': None}
        assert train(killed, '--resume', **options) == -signal.SIGKILL, kill
    assert train(killed, '--resume', **{'train_dataloader.num_workers': 1}) == 0

    seed = torch.load(killed / 'epoch_3.pth')['meta']['seed']
    assert train(straight, **{'randomness.seed': seed}) == 0

    names = {path.name for path in straight.glob('*.pth')}
    assert names == {path.name for path in killed.glob('*.pth')}
    assert len(names) == 3  # two epochs and the best one
    for name in names:
        a, b = (torch.load(folder / name) for folder in (straight, killed))
        for part in ('state_dict', 'optimizer', 'param_schedulers'):
            assert equal(a.get(part), b.get(part)), (name, part)
        losses = [c['message_hub']['log_scalars']['train/loss'].data[0] for c in (a, b)]
        assert losses[0].tolist() == losses[1].tolist()


@pytest.mark.slow
def test_killed_training_repeats_the_uninterrupted_one(train, tmp_path):
    points = random.Random(3).sample(range(EPOCHS * ITERATIONS), 6)
    kills = [(point, f'train:{point}') for point in points]
    # cut off: epoch 1's validation, its best checkpoint, epoch 2's checkpoint
    kills += [(5.8, 'val:1'), (5.9, 'best:1'), (11.9, 'save:2')]
    compare_killed_to_uninterrupted(train, tmp_path, kills)


@pytest.mark.full
def test_kill_at_every_iteration(train, tmp_path):
    kills = [(point, f'train:{point}') for point in range(EPOCHS * ITERATIONS)]
    kills += [(6 * e - 0.2, 'val:2') for e in (1, 2, 3)]
    kills += [(6 * e - 0.3, f'save:{e}') for e in (1, 2, 3)]
    compare_killed_to_uninterrupted(train, tmp_path, kills)
