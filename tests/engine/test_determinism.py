"""Deterministic training and testing give the same figures twice."""

import json
from pathlib import Path

import pytest
import tiny_pose
import torch
import torch.multiprocessing
from mmengine.config import Config
from test_keypoint_detector_training import small_config

from ogn_mm.engine.launch import build_runner

ROOT = Path(__file__).parents[2]
OGN = ROOT / 'configs/demo/td-ogn_res18-1deconv_1xb32-16e_generated-128x96.py'
DETERMINISTIC = dict(seed=5, deterministic=True)


def run(_, config, work_dir):
    """Train and test in a process of its own: the mode is for the whole process."""
    config.work_dir = str(work_dir)
    config.randomness = DETERMINISTIC
    runner = build_runner(config)
    runner.train()
    figures = runner.test()
    assert torch.are_deterministic_algorithms_enabled()
    logged = {
        name: history.data[0].tolist()
        for name, history in runner.message_hub.log_scalars.items()
        if 'time' not in name and 'memory' not in name
    }
    content = json.dumps([figures, logged], default=float)  # some are numpy's
    (work_dir / 'figures.json').write_text(content)


def run_twice(make, folder):
    """Figures while training and in testing, and the last weights, of two runs."""
    outcomes = []
    for name in ('a', 'b'):
        work_dir = folder / name
        torch.multiprocessing.start_processes(
            run, args=(make(), work_dir), nprocs=1, start_method='fork'
        )
        path = max(work_dir.glob('epoch_*.pth'))
        state = torch.load(path)['state_dict']
        outcomes.append(((work_dir / 'figures.json').read_text(), state))
    (written, state), (written_again, state_again) = outcomes
    assert written == written_again
    figures, logged = json.loads(written)
    assert figures and len(logged['train/loss']) > 1
    assert any(name.startswith('val/') for name in logged)
    assert state.keys() == state_again.keys()
    for name, value in state.items():
        assert torch.equal(value, state_again[name]), name


def test_tiny_network(tmp_path):
    """With workers, augmentation and dropout."""
    path = tiny_pose.write_config(tmp_path)

    def make():
        config = Config.fromfile(path)
        config.train_cfg.max_epochs = 2
        config.launcher = 'none'
        return config

    run_twice(make, tmp_path)


@pytest.mark.full
def test_offset_network(generated_people, tmp_path):
    def make():
        config = Config.fromfile(OGN)
        config.train_cfg.update(max_epochs=2, val_interval=1)
        config.train_dataloader.batch_size = 4
        for split in ('train', 'val', 'test'):
            config[f'{split}_dataloader'].dataset.data_root = str(generated_people)
        annotations = str(generated_people / 'annotations/val.json')
        config.val_evaluator.ann_file = config.test_evaluator.ann_file = annotations
        config.default_hooks.logger.interval = 1
        config.launcher = 'none'
        return config

    run_twice(make, tmp_path)


@pytest.mark.full
def test_mask_rcnn_with_keypoints(generated_people, tmp_path):
    def make():
        config = small_config(generated_people, tmp_path)
        config.train_cfg.update(max_epochs=1, val_interval=1)
        config.default_hooks.logger.interval = 1
        config.launcher = 'none'
        return config

    run_twice(make, tmp_path)
