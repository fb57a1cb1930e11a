"""Losses that are not finite end training or are skipped; nothing bad is saved."""

import json
import os
import socket
import types

import numpy as np
import pytest
import tiny_pose
import torch
import torch.multiprocessing
from conftest import load_tool
from mmcv.transforms import BaseTransform
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.optim import AmpOptimWrapper
from mmengine.optim.optimizer import amp_optimizer_wrapper
from mmpose.registry import TRANSFORMS

from ogn_mm.engine.hooks import CheckLossHook
from ogn_mm.engine.launch import build_runner

SENTENCE = (
    r'iteration \d+: loss is nan, loss_kpt is nan in the batch of images '
    r'(.*, )?7 \(.*/000007\.png\)'
)


@TRANSFORMS.register_module(force=True)
class Poison(BaseTransform):
    """Makes NaN of some images."""

    def __init__(self, images):
        self.images = images

    def transform(self, results):
        if results['img_id'] in self.images:
            results['img'] = np.full_like(results['img'], np.nan, np.float32)
        return results


def load(folder, images, epochs=1, **hook):
    """The tiny config, with poisoned images."""
    cfg = Config.fromfile(tiny_pose.write_config(folder))
    cfg.work_dir = str(folder / 'work')
    cfg.train_cfg.max_epochs = epochs
    cfg.train_dataloader.update(num_workers=0, persistent_workers=False)
    cfg.train_dataloader.dataset.pipeline.insert(-1, dict(type='Poison', images=images))
    own = [h for h in cfg.custom_hooks if h['type'] == 'CheckLossHook']
    assert len(own) == 1  # in the default runtime
    own[0].update(hook)
    cfg.launcher = 'none'
    return cfg


def saved(folder):
    return sorted(path.name for path in (folder / 'work').glob('*.pth'))


def find_hook(runner):
    return next(hook for hook in runner.hooks if isinstance(hook, CheckLossHook))


def test_training_ends_with_the_images_of_the_batch(tmp_path):
    """One sentence, no traceback; image 7 is met in the first epoch."""
    cfg = load(tmp_path, [7])
    cfg.dump(tmp_path / 'poisoned.py')
    with pytest.raises(SystemExit, match=rf'^error: .*poisoned\.py: {SENTENCE}'):
        load_tool('train').main([str(tmp_path / 'poisoned.py')])
    assert saved(tmp_path) == []


def test_batches_are_skipped_and_counted(tmp_path, capsys):
    """BatchNorm forgets them, too, or each evaluation would be NaN."""
    runner = build_runner(load(tmp_path, [7], epochs=2, max_skips=1))
    runner.train()
    assert find_hook(runner).skipped == 2  # once an epoch
    output = capsys.readouterr().out
    assert '000007.png); skipped, as 2 batches so far' in output
    assert saved(tmp_path)[-2:] == ['epoch_1.pth', 'epoch_2.pth']
    state = torch.load(tmp_path / 'work/epoch_2.pth')['state_dict']
    assert 'backbone.1.running_var' in state
    assert all(value.isfinite().all() for value in state.values())


def test_nothing_but_nan_is_no_training(tmp_path):
    runner = build_runner(load(tmp_path, list(range(12)), max_skips=2))
    with pytest.raises(FloatingPointError, match='iteration 3: .*as 3 batches so far'):
        runner.train()
    assert not runner.optim_wrapper.optimizer.state  # there was no step


class Overflow(torch.autograd.Function):
    """Passes values on, and gradients on as infinite."""

    @staticmethod
    def forward(ctx, value):
        return value.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient * torch.inf


class SpoilLastStep(Hook):
    """Lets the gradient of each epoch's last step overflow."""

    def before_train(self, runner):
        update = runner.optim_wrapper.update_params

        def spoil(loss):
            last = (runner.iter + 1) % len(runner.train_dataloader) == 0
            update(Overflow.apply(loss) if last else loss)

        runner.optim_wrapper.update_params = spoil


def test_weights_that_a_gradient_spoilt_are_not_saved(tmp_path):
    """In the last step before they would be saved."""
    runner = build_runner(load(tmp_path, []))
    runner.register_hook(SpoilLastStep())
    with pytest.raises(FloatingPointError, match=r'weight \S+ is not finite'):
        runner.train()
    assert saved(tmp_path) == []


def train_in_process(rank, cfg, folder, port):
    os.environ.update(
        RANK=str(rank),
        LOCAL_RANK=str(rank),
        WORLD_SIZE='2',
        MASTER_ADDR='127.0.0.1',
        MASTER_PORT=str(port),
    )
    torch.set_num_threads(1)
    cfg.launcher = 'pytorch'
    runner = build_runner(cfg)
    try:
        runner.train()
        outcome = find_hook(runner).skipped
    except FloatingPointError as error:
        outcome = str(error)
    (folder / f'{rank}.json').write_text(json.dumps(outcome))
    torch.distributed.destroy_process_group()


def train_in_two(cfg, folder):
    """What becomes of two processes of which one meets image 7."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    torch.multiprocessing.start_processes(
        train_in_process, args=(cfg, folder, port), nprocs=2, start_method='fork'
    )
    return [json.loads((folder / f'{rank}.json').read_text()) for rank in range(2)]


@pytest.mark.slow
def test_processes_end_together(tmp_path):
    """And say the same, though one of them has not seen the image."""
    first, second = train_in_two(load(tmp_path, [7]), tmp_path)
    assert first == second
    assert 'loss_kpt is nan' in first and '000007.png' in first
    assert saved(tmp_path) == []


@pytest.mark.full
def test_processes_skip_together(tmp_path):
    assert train_in_two(load(tmp_path, [7], max_skips=1), tmp_path) == [1, 1]
    assert 'epoch_1.pth' in saved(tmp_path)


def mixed_precision(monkeypatch):
    """MMEngine's wrapper with a scaler for the CPU, and the weight that it trains."""
    monkeypatch.setattr(amp_optimizer_wrapper, 'is_cuda_available', lambda: True)
    weight = torch.nn.Parameter(torch.ones(1))
    wrapper = AmpOptimWrapper(optimizer=torch.optim.SGD([weight], lr=0.5))
    wrapper.loss_scaler = torch.amp.GradScaler('cpu')
    return wrapper, weight


def test_overflow_in_mixed_precision_leaves_out_a_step(monkeypatch):
    wrapper, weight = mixed_precision(monkeypatch)
    hook, runner = CheckLossHook(), types.SimpleNamespace(optim_wrapper=wrapper, iter=0)
    for overflows, expected in ((True, 1), (False, 0.5), (True, 0.5)):
        loss = weight.sum()
        wrapper.update_params(Overflow.apply(loss) if overflows else loss)
        hook.after_train_iter(runner, 0, {}, dict(loss=loss.detach()))
        assert weight.item() == expected
    assert wrapper.loss_scaler.get_scale() == 2**14


def test_overflow_at_every_scale_ends_training(monkeypatch):
    wrapper, weight = mixed_precision(monkeypatch)
    hook, runner = CheckLossHook(), types.SimpleNamespace(optim_wrapper=wrapper, iter=0)
    for _ in range(30):
        wrapper.update_params(Overflow.apply(weight.sum()))
        hook.after_train_iter(runner, 0, {}, dict(loss=torch.ones(1)))
    wrapper.update_params(Overflow.apply(weight.sum()))
    message = 'iteration 1: gradients overflow at every loss scale, down to 3.1e-05'
    with pytest.raises(FloatingPointError, match=message):
        hook.after_train_iter(runner, 0, {}, dict(loss=torch.ones(1)))
    assert weight.item() == 1
