"""How a study starts its runs, and what it writes down of each."""

import importlib
import sys
from pathlib import Path

import pytest
from mmengine.config import Config

from ogn_mm.engine import provenance

TOOLS = Path(__file__).parents[2] / 'tools'


@pytest.fixture
def load(monkeypatch):
    """Imports a module of the study runner."""
    monkeypatch.syspath_prepend(str(TOOLS))
    return importlib.import_module


def test_commands_of_launchers(load):
    launch = load('study.launch')
    config, checkpoint = Path('W/row/seed0.py'), Path('W/row/seed0/epoch_3.pth')

    def words(launcher, *files):
        command = launcher.command('row, seed 0', *files)
        return [str(part).replace(f'{TOOLS}/', '') for part in command]

    alone = launch.Launcher()
    assert words(alone, config) == [sys.executable, 'train.py', 'W/row/seed0.py']
    several = launch.Launcher(processes=4)
    assert words(several, config) == ['bash', 'dist_train.sh', 'W/row/seed0.py', '4']
    assert words(several, config, checkpoint) == (
        ['bash', 'dist_test.sh', 'W/row/seed0.py', 'W/row/seed0/epoch_3.pth', '4']
    )
    cluster = launch.Launcher(4, 'part')
    job = ['part', 'row, seed 0', 'W/row/seed0.py']
    assert words(cluster, config) == ['bash', 'slurm_train.sh', *job, 'W/row/seed0']
    assert words(cluster, config, checkpoint) == (
        ['bash', 'slurm_test.sh', *job, 'W/row/seed0/epoch_3.pth']
    )


@pytest.mark.parametrize(
    ('launcher', 'gpus', 'expected'),
    [
        ((1, None), [], [{}, {}]),
        ((1, None), ['0'], [{}, {}]),
        ((1, None), ['0', '1'], [dict(CUDA_VISIBLE_DEVICES=i) for i in '01']),
        (
            (2, None),
            ['4', '5', '6', '7'],
            [dict(CUDA_VISIBLE_DEVICES='4,5'), dict(CUDA_VISIBLE_DEVICES='6,7')],
        ),
        ((8, 'part'), ['0', '1'], [dict(GPUS='8'), dict(GPUS='8')]),
    ],
)
def test_jobs_share_the_gpus(load, launcher, gpus, expected):
    launcher = load('study.launch').Launcher(*launcher)
    environments = [launcher.environment(job, gpus) for job in (0, 1)]
    ports = [environment.pop('PORT', None) for environment in environments]
    assert environments == expected
    assert launcher.partition or ports[0] != ports[1]


@pytest.mark.parametrize(
    ('wrapper', 'cpu_has_bfloat16', 'expected'),
    [
        (dict(type='OptimWrapper'), True, 'float32'),
        (dict(), True, 'float32'),
        (dict(type='AmpOptimWrapper'), True, 'float16'),
        (dict(type='AmpOptimWrapper', dtype='bfloat16'), True, 'bfloat16'),
        (dict(type='mmpose.Bfloat16OptimWrapper'), True, 'bfloat16'),
        (dict(type='Bfloat16OptimWrapper'), False, 'float32'),
    ],
)
def test_training_precision(monkeypatch, wrapper, cpu_has_bfloat16, expected):
    monkeypatch.setattr(provenance, 'computes_in_bfloat16', lambda _: cpu_has_bfloat16)
    config = Config(dict(optim_wrapper=wrapper))
    assert provenance.training_precision(config) == expected
