import pytest
import tiny_pose
from mmengine.config import Config

from ogn_mm.engine.launch import build_runner


@pytest.mark.parametrize(('enable', 'factor'), [(True, 1.5), (False, 1)])
def test_scaled_learning_rate_counts_accumulated_batches(tmp_path, enable, factor):
    """Six batches of two are twelve samples a step, of eight by the config."""
    cfg = Config.fromfile(tiny_pose.write_config(tmp_path))
    cfg.launcher, cfg.work_dir = 'none', str(tmp_path / 'work')
    cfg.optim_wrapper.accumulative_counts = 6
    cfg.auto_scale_lr.enable = enable
    runner = build_runner(cfg)
    wrapper = runner.build_optim_wrapper(cfg.optim_wrapper)
    runner.scale_lr(wrapper, cfg.auto_scale_lr)
    lrs = [group['lr'] for group in wrapper.param_groups]
    assert lrs == pytest.approx([0.01 * factor] * len(lrs))
