"""The command-line tools, from start to end on a network of two convolutions."""

import json
import os
import pathlib
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from conftest import load_tool
from mmengine.config import Config
from torch._utils import ExceptionWrapper

from ogn_mm.datasets.generated_people import generate_videos
from ogn_mm.engine.launch import summarize_error

ROOT = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / 'tests/engine'))

import tiny_pose  # noqa: E402

train, test = load_tool('train'), load_tool('test')
# The garbage collector waits 5 s for each persistent worker that is left to it.
NO_WORKERS = [
    '--cfg-options',
    'train_dataloader.num_workers=0',
    'train_dataloader.persistent_workers=False',
]


@pytest.fixture(scope='module')
def config(tmp_path_factory):
    return tiny_pose.write_config(tmp_path_factory.mktemp('tools'))


@pytest.fixture(scope='module')
def checkpoint(config):
    """Trained for two epochs by the options of tools/train.py."""
    work_dir = config.parent / 'trained'
    arguments = [str(config), '--work-dir', str(work_dir), '--auto-scale-lr']
    train.main([*arguments, *NO_WORKERS, 'train_cfg.max_epochs=2'])
    return work_dir / 'epoch_2.pth'


def run_script(name, *arguments, **env):
    """Run a shell script of tools/ from another folder."""
    path = f'{pathlib.Path(sys.executable).parent}:{os.environ["PATH"]}'
    path = f'{env.pop("first", "")}:{path}'
    python_path = f'{ROOT}:{ROOT}/tests/engine'
    env = dict(os.environ, PATH=path, PYTHONPATH=python_path, **env)
    return subprocess.run(
        [f'{ROOT}/tools/{name}', *map(str, arguments)],
        env=env,
        cwd=env.get('FOLDER'),
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_training_options(checkpoint):
    saved = torch.load(checkpoint)
    assert saved['meta']['epoch'] == 2
    cfg = Config.fromfile(checkpoint.parent / 'tiny.py')
    assert cfg.auto_scale_lr.enable
    # 8 samples a step by the config, 2 in truth
    assert saved['optimizer']['param_groups'][0]['initial_lr'] == 0.01 * 2 / 8


def test_resume_goes_on(config, checkpoint, tmp_path):
    arguments = [str(config), '--work-dir', str(tmp_path), '--no-validate']
    train.main([*arguments, '--resume', str(checkpoint), *NO_WORKERS])
    assert {path.name for path in tmp_path.glob('*.pth')} == {'epoch_3.pth'}
    steps = torch.load(tmp_path / 'epoch_3.pth')['optimizer']['state'][0]['step']
    assert steps == 3 * 6


def test_load_from_is_the_start_where_nothing_is_to_be_resumed(tmp_path):
    arguments = train.parse_args(['tiny.py', '--resume'])

    def merge():
        cfg = Config(dict(work_dir=str(tmp_path), load_from='detector.pth'))
        train.merge_args(cfg, arguments)
        return bool(cfg.resume), cfg.load_from

    assert merge() == (False, 'detector.pth')
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_1.pth'))
    assert merge() == (True, None)


def test_testing_options(config, checkpoint, tmp_path):
    test.main(
        [
            *(str(config), str(checkpoint)),
            *('--work-dir', str(tmp_path)),
            *('--dump', str(tmp_path / 'poses.pkl')),
            *('--out', str(tmp_path / 'metrics.json')),
            *('--show-dir', str(tmp_path / 'drawn'), '--interval', '5'),
        ]
    )
    metrics = json.loads((tmp_path / 'metrics.json').read_text())
    assert metrics['EPE'] > 0
    assert len(read_poses(tmp_path / 'poses.pkl')) == 12
    assert list((tmp_path / 'drawn').rglob('*.png'))


def test_testing_needs_a_checkpoint(config, tmp_path):
    with pytest.raises(SystemExit) as error:
        test.main([str(config), '--work-dir', str(tmp_path)])
    check_sentence(error, config, 'CHECKPOINT is missing')


@pytest.mark.parametrize(
    'option, name, sentence',
    [
        ('--out', 'metrics.txt', 'has to end on .json'),
        ('--out', 'folder.json', 'is a folder'),
        ('--dump', 'poses.json', 'has to end on .pkl'),
    ],
)
def test_results_that_could_not_be_written(
    option, name, sentence, config, checkpoint, tmp_path
):
    """Told before the test, not after it."""
    (tmp_path / 'folder.json').mkdir()
    path = tmp_path / name
    with pytest.raises(SystemExit) as error:
        test.main([str(config), str(checkpoint), option, str(path)])
    check_sentence(error, config, f'{option} {path}: ')
    check_sentence(error, config, sentence)


def read_poses(path):
    """Predicted keypoints by image id."""
    samples = pickle.loads(path.read_bytes())
    return {s['img_id']: s['pred_instances']['keypoints'] for s in samples}


@pytest.mark.slow
def test_two_processes_on_the_cpu(config, checkpoint, tmp_path):
    port = str(20000 + os.getpid() % 20000)
    work_dir = tmp_path / 'train'
    options = ['--work-dir', work_dir, '--cfg-options', 'train_cfg.max_epochs=1']
    done = run_script('dist_train.sh', config, 2, *options, PORT=port, FOLDER=tmp_path)
    assert done.returncode == 0, done.stderr
    # 12 samples by twos on 2 processes, whose gradients go into the same weights
    saved = torch.load(work_dir / 'epoch_1.pth')
    assert saved['meta']['iter'] == 3
    assert 'EPE' in done.stdout

    results = []
    for processes in (1, 2):
        out, dump = tmp_path / f'{processes}.json', tmp_path / f'{processes}.pkl'
        options = ['--work-dir', tmp_path / 'test', '--out', out, '--dump', dump]
        if processes == 1:
            test.main(list(map(str, [config, checkpoint, *options])))
        else:
            arguments = [config, checkpoint, 2, *options]
            env = dict(PORT=port, FOLDER=tmp_path, PRINT_THREADS_AT_EXIT='1')
            done = run_script('dist_test.sh', *arguments, **env)
            assert done.returncode == 0, done.stderr
            # a thread of gloo's left while the interpreter ends may abort it
            threads = re.findall('threads at exit: (.*)', done.stdout)
            assert len(threads) == 2 and 'gloo' not in ''.join(threads)
        results.append((json.loads(out.read_text()), read_poses(dump)))
    (metrics, poses), (metrics_of_two, poses_of_two) = results
    assert metrics_of_two == pytest.approx(metrics)
    assert poses_of_two.keys() == poses.keys()
    for image, keypoints in poses.items():
        np.testing.assert_allclose(poses_of_two[image], keypoints, atol=1e-3)


@pytest.mark.slow
def test_two_processes_share_videos_without_a_network(tmp_path):
    """A model without weights, which DistributedDataParallel would refuse."""
    generate_videos(tmp_path, dict(train=1, val=2), frames=3, size=(96, 72))
    config = ROOT / 'configs/demo/video-pose-oracle_iou_generated-videos-240x320.py'
    cfg = Config.fromfile(config)
    done = run_script(
        'dist_test.sh',
        *(config, '', 2, '--work-dir', tmp_path, '--out', tmp_path / 'metrics.json'),
        '--cfg-options',
        f'test_dataloader.dataset.data_root={tmp_path}/',
        f'test_evaluator.gt_dir={tmp_path / cfg.ann_dir}',
        PORT=str(20000 + os.getpid() % 20000),
    )
    assert done.returncode == 0, done.stderr
    metrics = json.loads((tmp_path / 'metrics.json').read_text())
    assert metrics['posetrack/MOTA'] > 95


@pytest.mark.parametrize(
    'script, arguments, expected',
    [
        ('slurm_train.sh', 'part job CONFIG DIR --amp', 'train.py CONFIG'),
        ('slurm_test.sh', 'part job CONFIG PTH --show', 'test.py CONFIG PTH'),
    ],
)
def test_slurm_scripts(tmp_path, script, arguments, expected):
    srun = tmp_path / 'srun'
    srun.write_text('#!/bin/sh\necho "$@"\n')
    srun.chmod(0o755)
    env = dict(first=str(tmp_path), GPUS='4', CPUS_PER_TASK='3')
    done = run_script(script, *arguments.split(), SRUN_ARGS='-x node1 --qos=q', **env)
    call = done.stdout
    assert '-p part --job-name=job --gres=gpu:4 --ntasks=4' in call
    assert '--ntasks-per-node=4 --cpus-per-task=3' in call
    assert '-x node1 --qos=q python -u' in call
    assert expected in call
    assert '--launcher=slurm' in call
    assert call.split()[-1] == arguments.split()[-1]


@pytest.mark.parametrize(
    'script', ['dist_train.sh', 'dist_test.sh', 'slurm_train.sh', 'slurm_test.sh']
)
def test_scripts_tell_their_usage(script):
    done = run_script(script, 'config.py')
    assert done.returncode == 2
    assert f'tools/{script} ' in done.stderr


@pytest.mark.parametrize(
    'options, message',
    [
        ('--cfg-options optim_warpper.type=x', 'did you mean `optim_wrapper`'),
        ('--cfg-options model.head.out_chanels=17', 'did you mean `out_channels`'),
        ('--cfg-options model.head.out_channels=3', 'predicts 3 keypoints'),
        ('--cfg-options model.head.type=NoHead', 'NoHead is not in the'),
        ('--cfg-options train_dataloader.dataset.ann_file=no.json', 'no.json'),
        ('--cfg-options auto_scale_lr=None --auto-scale-lr', '--auto-scale-lr needs'),
        ('--cfg-options default_hooks.visualization=None --show', '--show-dir need'),
        ('--resume no.pth', 'no.pth'),
        ('--launcher slurm', 'needs an accelerator'),
        ('--amp', '--amp needs an accelerator'),
    ],
)
def test_mistakes_in_one_sentence(config, tmp_path, monkeypatch, options, message):
    monkeypatch.setattr('ogn_mm.engine.launch.get_device', lambda: 'cpu')
    monkeypatch.setattr(train, 'get_device', lambda: 'cpu')
    arguments = [str(config), '--work-dir', str(tmp_path), *options.split()]
    with pytest.raises(SystemExit) as error:
        train.main(arguments)
    check_sentence(error, config, message)


def check_sentence(error, config, message):
    sentence = str(error.value)
    assert sentence.startswith(f'error: {config}: ')
    assert message in sentence
    assert '\n' not in sentence


@pytest.mark.parametrize(
    'extra, message',
    [
        ('train_dataloder = dict()', '`train_dataloder`; did you mean'),
        (
            "model = dict(backbone=dict(_delete_=True, type='ResNet', depht=18))",
            "unexpected keyword argument 'depht' (see `model.backbone.depht`)",
        ),
        ('model = ', 'invalid syntax'),
    ],
)
def test_mistakes_in_the_config(config, tmp_path, extra, message):
    child = tmp_path / 'child.py'
    child.write_text(f"_base_ = '{config}'\n{extra}\n")
    with pytest.raises(SystemExit) as error:
        train.main([str(child), '--work-dir', str(tmp_path)])
    check_sentence(error, child, message)


def test_malicious_checkpoint(config, tmp_path):
    class Evil:
        def __reduce__(self):
            return os.system, (f'touch {tmp_path}/marker',)

    torch.save(dict(state_dict={}, meta=Evil()), tmp_path / 'evil.pth')
    arguments = [str(config), str(tmp_path / 'evil.pth'), '--work-dir', str(tmp_path)]
    with pytest.raises(SystemExit) as error:
        test.main(arguments)
    check_sentence(error, config, 'evil.pth was not loaded: it asks for `posix.system`')
    assert not (tmp_path / 'marker').exists()
    with pytest.raises(pickle.UnpicklingError):
        test.main([*arguments, '--debug'])


def test_an_error_in_a_worker():
    """PyTorch passes it on with the worker's whole traceback as its message."""
    try:
        raise FileNotFoundError('no image 7.jpg')
    except FileNotFoundError:
        wrapper = ExceptionWrapper(where='in DataLoader worker process 0')
    with pytest.raises(FileNotFoundError) as error:
        wrapper.reraise()
    assert summarize_error(error.value, 'config.py') == 'no image 7.jpg'


def test_an_error_in_an_iteration_keeps_its_traceback(config, tmp_path):
    """It is rather a bug than a mistake of the user's."""
    options = [*NO_WORKERS, 'model.head.in_channels=3']
    with pytest.raises(RuntimeError, match='channels'):
        train.main([str(config), '--work-dir', str(tmp_path), *options])
