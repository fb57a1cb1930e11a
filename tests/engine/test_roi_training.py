"""Training on mixed boxes with ROI sampling, through the Runner."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import tiny_pose
import torch
from memory import private_memory, resident_memory
from mmengine.config import Config
from mmengine.hooks import Hook

from ogn_mm.engine.launch import OGNRunner

CONFIG = f"""
_base_ = '{tiny_pose.ROOT}/configs/_base_/default_runtime.py'
custom_imports = dict(imports=['ogn_mm', 'tiny_pose'])
codec = dict(type='OffsetHeatmap', input_size=(48, 64), heatmap_size=(12, 16))
train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='LoadImage'),
    dict(type='RandomDetectedBox', share=0.5),
    dict(type='GetBBoxCenterScale'),
    dict(type='ContiguousRandomFlip', direction='horizontal'),
    dict(type='RandomBBoxScaleRotate'),
    dict(type='TopdownAffine', input_size=(48, 64)),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseInputs')]
train_dataloader = dict(
    batch_size=2,
    num_workers=0,
    sampler=dict(type='FullBatchSampler', batch_size=2, shuffle=True),
    collate_fn=dict(type='flatten_rois'),
    dataset=dict(
        type='ImageROIDataset',
        rois_per_image=4,
        dataset=dict(
            type='MixedBoxCocoDataset',
            data_root='DATA',
            ann_file='annotations/train.json',
            data_prefix=dict(img='images/train/'),
            detection_file='WORK/found.json',
            pipeline=train_pipeline)))
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(type='PoseDataPreprocessor'),
    backbone=dict(type='TinyBackbone'),
    head=dict(
        type='OffsetHead', in_channels=8, out_channels=17, deconv_out_channels=None,
        decoder=codec))
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.02, momentum=0.9))
train_cfg = dict(by_epoch=True, max_epochs=2, val_interval=1)
auto_scale_lr = dict(base_batch_size=16, enable=True)
val_cfg = None
test_cfg = None
default_hooks = dict(checkpoint=dict(save_best=None))
work_dir = 'WORK'
"""


class Batches(Hook):
    """Remembers what the network was given."""

    def __init__(self):
        self.samples = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        assert len(data_batch['inputs']) == 8
        self.samples.append(data_batch['data_samples'])


@pytest.fixture
def build(generated_people, tmp_path):
    """Builds a Runner in the folder of that name, with other settings."""
    path = generated_people / 'annotations/train.json'
    people = json.loads(path.read_text())['annotations']
    found = [
        dict(image_id=p['image_id'], category_id=1, bbox=p['bbox'], score=0.5)
        for p in people
    ]
    for detection in found:
        x, y, w, h = detection['bbox']
        detection['bbox'] = [x, y, w + 0.25, h + 0.25]  # to be told by

    def build(name, **options):
        work_dir = tmp_path / name
        work_dir.mkdir()
        (work_dir / 'found.json').write_text(json.dumps(found))
        text = CONFIG.replace('DATA', str(generated_people))
        config = Config.fromstring(text.replace('WORK', str(work_dir)), '.py')
        config.train_cfg = options.pop('train_cfg', config.train_cfg)
        config.merge_from_dict(dict(experiment_name=name, **options))
        runner = OGNRunner.from_cfg(config)
        batches = Batches()
        runner.register_hook(batches)
        return runner, batches.samples, people

    return build


@pytest.mark.slow
def test_two_epochs_with_all_people_and_both_kinds_of_boxes(build):
    runner, batches, people = build('straight')
    runner.train()
    assert runner.optim_wrapper.get_lr()['lr'] == [0.02 * 2 / 16]  # images
    per_epoch = len(batches) // 2
    for epoch in (batches[:per_epoch], batches[per_epoch:]):
        samples = [sample for batch in epoch for sample in batch]
        assert {sample.id for sample in samples} == {p['id'] for p in people}
        kinds = [sample.gt_instances.bboxes.ravel() % 1 == 0.25 for sample in samples]
        mixed = np.mean([kind.any() for kind in kinds])
        assert 0.2 < mixed < 0.8
    # one epoch's checkpoint, resumed with workers, ends where both epochs end
    trained = torch.load(Path(runner.work_dir) / 'epoch_2.pth')
    resumed, later, _ = build(
        'resumed',
        load_from=f'{runner.work_dir}/epoch_1.pth',
        resume=True,
        train_dataloader=dict(num_workers=2),
    )
    resumed.train()
    assert [[s.id for s in batch] for batch in later] == [
        [s.id for s in batch] for batch in batches[per_epoch:]
    ]
    again = torch.load(Path(resumed.work_dir) / 'epoch_2.pth')
    for name, value in trained['state_dict'].items():
        assert torch.equal(value, again['state_dict'][name]), name


class Memory(Hook):
    """Notes, every 1000 iterations, the MiB of training and those of its workers."""

    def __init__(self):
        self.training, self.workers = {}, {}

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter % 1000 == 999:
            children = Path('/proc/self/task').glob('*/children')
            workers = [pid for path in children for pid in path.read_text().split()]
            self.training[runner.iter + 1] = resident_memory()
            self.workers[runner.iter + 1] = sum(map(private_memory, workers))


@pytest.mark.full
def test_memory_stays_flat_over_10_000_iterations(build):
    iterations = len(build('short')[0].train_dataloader)
    runner, _, _ = build(
        'long',
        train_cfg=dict(by_epoch=True, max_epochs=-(-10_000 // iterations)),
        train_dataloader=dict(num_workers=2, persistent_workers=True),
        default_hooks=dict(
            logger=dict(interval=500), checkpoint=dict(interval=100, max_keep_ckpts=1)
        ),
    )
    runner._hooks = [hook for hook in runner.hooks if not isinstance(hook, Batches)]
    memory = Memory()
    runner.register_hook(memory)
    runner.train()
    for name, noted in vars(memory).items():
        print(f'MiB of {name} after so many iterations:', noted)
        assert len(noted) == 10
        assert max(noted.values()) - noted[2000] < 16


class Preempt(Hook):
    """The cluster wants its machine back in a given iteration."""

    def __init__(self, iteration):
        self.iteration = iteration

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == self.iteration:
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.slow
@pytest.mark.parametrize('loop', ['epochs', 'iterations'])
def test_preempted_between_two_groups(build, loop):
    """Epochs go on with the groups that are left; so do loops without epochs."""
    options = {}
    if loop == 'iterations':
        options['train_cfg'] = dict(by_epoch=False, max_iters=9)
        options['default_hooks'] = dict(checkpoint=dict(by_epoch=False, interval=9))
    straight, batches, _ = build('straight', **options)
    straight.train()
    stopped, first, _ = build('stopped', **options)
    stopped.register_hook(Preempt(5))
    handlers = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as end:
        stopped.train()
    signal.signal(signal.SIGTERM, handlers)
    assert end.value.code == 75
    checkpoint = f'{stopped.work_dir}/within_epoch.pth'
    resumed, later, _ = build('resumed', load_from=checkpoint, resume=True, **options)
    resumed.train()
    people = [
        [[sample.id for sample in batch] for batch in part]
        for part in (batches, first, later)
    ]
    assert len(people[1]) == 6 and people[0] == people[1] + people[2]
    last = Path(straight.work_dir, 'last_checkpoint').read_text()
    name = Path(last).name
    weights, again = (
        torch.load(Path(runner.work_dir) / name)['state_dict']
        for runner in (straight, resumed)
    )
    if loop == 'epochs':  # elsewhere augmentation is not repeated
        assert all(torch.equal(again[key], value) for key, value in weights.items())
