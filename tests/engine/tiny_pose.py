"""A network, data and config so small that a whole training takes a second."""

import atexit
import errno
import json
import os
import pathlib
import signal
import subprocess
import threading

import cv2
import numpy as np
from mmengine.hooks import Hook
from mmpose.registry import HOOKS, MODELS
from torch import nn

ROOT = pathlib.Path(__file__).parents[2]

CONFIG = f"""
_base_ = '{ROOT}/configs/_base_/default_runtime.py'
custom_imports = dict(imports=['ogn_mm.engine', 'tiny_pose'])
codec = dict(
    type='MSRAHeatmap', input_size=(32, 32), heatmap_size=(8, 8), sigma=1)
train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale'),
    dict(type='RandomFlip', direction='horizontal'),
    dict(type='RandomBBoxTransform'),
    dict(type='TopdownAffine', input_size=(32, 32)),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseInputs')]
val_pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale'),
    dict(type='TopdownAffine', input_size=(32, 32)),
    dict(type='PackPoseInputs')]
dataset = dict(
    type='CocoDataset', data_root='DATA', ann_file='people.json',
    data_prefix=dict(img=''))
train_dataloader = dict(
    batch_size=2, num_workers=2, persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(pipeline=train_pipeline, **dataset))
val_dataloader = dict(
    batch_size=4, num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(pipeline=val_pipeline, test_mode=True, **dataset))
test_dataloader = val_dataloader
val_evaluator = dict(type='EPE')
test_evaluator = val_evaluator
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(type='PoseDataPreprocessor'),
    backbone=dict(type='TinyBackbone'),
    head=dict(
        type='HeatmapHead', in_channels=8, out_channels=17,
        deconv_out_channels=None,
        loss=dict(type='KeypointMSELoss', use_target_weight=True),
        decoder=codec),
    test_cfg=dict(flip_test=False))
optim_wrapper = dict(optimizer=dict(type='Adam', lr=1e-2))
param_scheduler = [
    dict(type='LinearLR', begin=0, end=9, start_factor=0.1, by_epoch=False),
    dict(type='MultiStepLR', milestones=[2], by_epoch=True)]
train_cfg = dict(by_epoch=True, max_epochs=3, val_interval=1)
auto_scale_lr = dict(base_batch_size=8)
default_hooks = dict(
    logger=dict(interval=1),
    checkpoint=dict(save_best='EPE', rule='less'),
    kill=dict(type='KillHook', at='never'))
custom_hooks = [
    dict(type='SyncBuffersHook'),
    dict(type='EpochSeedHook'),
    dict(type='PreemptionHook', interval=2),
    dict(type='CheckKeypointsHook'),
    dict(type='CheckLossHook')]
"""


def print_threads():
    """Print the names of this process's threads, in one line."""
    tasks = pathlib.Path('/proc/self/task').glob('*/comm')
    names = sorted(path.read_text().strip() for path in tasks)
    print(f'threads at exit: {" ".join(names)}\n', end='', flush=True)


if 'PRINT_THREADS_AT_EXIT' in os.environ:
    atexit.register(print_threads)


@MODELS.register_module()
class TinyBackbone(nn.Sequential):
    """8 channels at stride 4; dropout draws random numbers while training."""

    def __init__(self):
        super().__init__(
            nn.Conv2d(3, 8, 3, 2, 1),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Conv2d(8, 8, 3, 2, 1),
        )

    def forward(self, image):
        return (super().forward(image),)


@HOOKS.register_module()
class KillHook(Hook):
    """Do to the process what operators, clusters, disks and power cuts do.

    Args:
        at (str): ``train:i`` before training iteration i, ``val:i`` after validation
            iteration i of the first validation, ``save:e`` while epoch e's
            checkpoint is written, ``best:e`` while the best one is, ``step:n``
            instead of the n-th of all steps that bring files safely to the disk,
            ``time:s`` that many seconds after training began.
        by (str): Name of a signal, or ``FULL``, with ``step``, for a disk that is full
            from then on.
        rank (int): The process that it happens to. All signals but SIGKILL reach its
            data loader's workers as well.
    """

    priority = 'LOWEST'

    def __init__(self, at, by='SIGKILL', rank=0):
        self.event, _, self.index = at.partition(':')
        self.by, self.rank = by, rank

    def before_run(self, runner):
        if self.event == 'step' and runner.rank == self.rank:
            self.left = int(self.index)
            os.fsync, os.replace = map(self._counted, (os.fsync, os.replace))

    def _counted(self, step):
        def count(*args):
            self.left -= 1
            if self.left > 0:
                return step(*args)
            if isinstance(args[0], int) and os.path.isfile(f'/proc/self/fd/{args[0]}'):
                # not on the disk yet
                os.ftruncate(args[0], os.fstat(args[0]).st_size // 2)
            if self.by == 'FULL':
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return os.kill(os.getpid(), signal.SIGKILL)

        return count

    def before_train(self, runner):
        if self.event == 'time' and runner.rank == self.rank:
            timer = threading.Timer(float(self.index), self._strike)
            timer.daemon = True
            timer.start()

    def _strike_at(self, runner, event, index):
        if (event, str(index), runner.rank) == (self.event, self.index, self.rank):
            self._strike()

    def _strike(self):
        if self.by == 'SIGKILL':
            os.kill(os.getpid(), signal.SIGKILL)
        else:
            # by another process: data loaders' workers heed their parent's signals
            command = ['kill', '-s', self.by, '--', f'-{os.getpgid(0)}']
            subprocess.run(command, check=True, start_new_session=True)

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self._strike_at(runner, 'train', runner.iter)

    def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self._strike_at(runner, 'val', batch_idx)

    def before_save_checkpoint(self, runner, checkpoint):
        event = 'save' if 'optimizer' in checkpoint else 'best'
        if (event, str(checkpoint['meta']['epoch'])) == (self.event, self.index):
            # the data are written by then, their final name is not given
            os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)


def write_data(root, people=12):
    """Write noise images of one person each, with random keypoints."""
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for index in range(people):
        name = f'{index:06d}.png'
        cv2.imwrite(f'{root}/{name}', rng.integers(0, 255, (48, 64, 3), np.uint8))
        images.append(dict(id=index, file_name=name, height=48, width=64))
        keypoints = np.full((17, 3), 2.0)
        keypoints[:, :2] = rng.uniform(8, 40, (17, 2))
        annotations.append(
            dict(
                id=index + 1,
                image_id=index,
                category_id=1,
                bbox=[4, 4, 40, 40],
                area=1600,
                iscrowd=0,
                num_keypoints=17,
                keypoints=keypoints.ravel().tolist(),
            )
        )
    people = dict(
        images=images,
        annotations=annotations,
        categories=[dict(id=1, name='person')],
    )
    pathlib.Path(root, 'people.json').write_text(json.dumps(people))


def write_config(root, name='tiny.py', extra='', people=12):
    """Write data and config below ``root``; returns the config's path."""
    data = pathlib.Path(root, 'data')
    if not data.exists():
        data.mkdir(parents=True)
        write_data(data, people)
    path = pathlib.Path(root, name)
    path.write_text(CONFIG.replace('DATA', str(data)) + extra)
    return path
