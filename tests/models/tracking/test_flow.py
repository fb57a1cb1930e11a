"""Optical flow: a picture that is shifted, and RAFT's saved weights."""

import cv2
import numpy as np
import pytest
import torch
from mmpose.registry import TASK_UTILS
from torchvision.models.optical_flow import raft_small


@pytest.fixture(scope='module')
def frames():
    """A picture and the same shifted by (3, -2)."""
    noise = np.random.default_rng(0).uniform(0, 255, (120, 160, 3))
    picture = cv2.GaussianBlur(noise, None, 3)
    picture = cv2.normalize(picture, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    return picture[10:106, 10:146], picture[12:108, 7:143]


@pytest.mark.parametrize('preset', ['ultrafast', 'fast', 'medium'])
def test_dis_finds_a_shift(frames, preset):
    flow = TASK_UTILS.build(dict(type='DISFlow', preset=preset)).flow(*frames)
    assert flow.shape == (96, 136, 2) and flow.dtype == np.float32
    inner = flow[20:-20, 20:-20]
    np.testing.assert_allclose(inner.mean(axis=(0, 1)), [3, -2], atol=0.2)


def test_raft_takes_saved_weights(frames, tmp_path):
    """The same flow as torchvision's network gives, at a size that is no multiple."""
    torch.manual_seed(0)
    raft = raft_small().eval()
    torch.save(raft.state_dict(), tmp_path / 'raft.pth')
    config = dict(type='RAFTFlow', size='small', num_updates=2)
    module = TASK_UTILS.build(config | dict(checkpoint=str(tmp_path / 'raft.pth')))
    small = [frame[:, :130] for frame in frames]
    flow = module.flow(*small)
    assert flow.shape == (96, 130, 2)
    padded = [
        cv2.copyMakeBorder(frame, 0, 32, 0, 6, cv2.BORDER_REPLICATE) for frame in small
    ]
    rgb = [
        torch.from_numpy(frame[..., ::-1].copy()).permute(2, 0, 1)[None] / 255 * 2 - 1
        for frame in padded
    ]
    with torch.no_grad():
        expected = raft(*rgb, num_flow_updates=2)[-1][0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(flow, expected[:96, :130], atol=1e-3)

    missing = raft.state_dict()
    missing.popitem()
    torch.save(missing, tmp_path / 'missing.pth')
    with pytest.raises(ValueError, match=r'missing\.pth does not fit: 1 weights'):
        TASK_UTILS.build(config | dict(checkpoint=str(tmp_path / 'missing.pth')))


def test_faulty_settings():
    with pytest.raises(ValueError, match='preset must be one of ultrafast, fast'):
        TASK_UTILS.build(dict(type='DISFlow', preset='slow'))
    with pytest.raises(ValueError, match="size must be 'large' or 'small'"):
        TASK_UTILS.build(dict(type='RAFTFlow', size='huge'))
