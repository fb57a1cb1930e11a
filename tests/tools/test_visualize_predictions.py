from pathlib import Path

import cv2
import pytest
import torch
from conftest import load_tool
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.datasets import PoseTrack18Dataset
from mmpose.registry import MODELS

ROOT = Path(__file__).parents[2]
DEMO = ROOT / 'configs/demo'


@pytest.fixture(scope='module')
def visualize():
    return load_tool('visualize_predictions').main


@pytest.mark.parametrize('kind', ['ogn', 'hm'])
def test_pictures(kind, visualize, generated_people, tmp_path):
    config = DEMO / f'td-{kind}_res18-1deconv_1xb32-16e_generated-128x96.py'
    cfg = Config.fromfile(config)
    init_default_scope('mmpose')
    model = MODELS.build(cfg.model)
    checkpoint, out = tmp_path / 'model.pth', tmp_path / 'out'
    torch.save(dict(state_dict=model.state_dict()), checkpoint)
    arguments = [str(config), str(checkpoint), '--out', str(out), '--num', '3']
    data = f'test_dataloader.dataset.data_root={generated_people}/'
    arguments += ['--device', 'cpu', '--cfg-options', data]
    visualize([*arguments, '--keypoints', 'nose', 'left_knee'])
    names = sorted(path.name for path in out.iterdir())
    if kind == 'ogn':
        assert names == ['offsets_1.png', 'offsets_2.png', 'poses.png']
    else:
        assert names == ['poses.png']
    for name in names:
        assert cv2.imread(str(out / name)).std() > 10

    with pytest.raises(SystemExit, match='there is no `knee` among nose, left_eye'):
        visualize([*arguments, '--keypoints', 'nose', 'knee'])
    with pytest.raises(SystemExit, match='nowhere.pth'):
        visualize([str(config), 'nowhere.pth', '--out', str(tmp_path / 'none')])
    (tmp_path / 'other.pth').write_bytes(b'')
    torch.save(dict(state_dict=dict(other=torch.ones(1))), tmp_path / 'other.pth')
    with pytest.raises(SystemExit, match='other.pth does not fit: '):
        visualize([arguments[0], f'{tmp_path}/other.pth', *arguments[2:]])
    metainfo = PoseTrack18Dataset._load_metainfo()
    content = dict(state_dict=model.state_dict(), meta=dict(dataset_meta=metainfo))
    torch.save(content, tmp_path / 'posetrack.pth')
    with pytest.raises(SystemExit, match='posetrack.pth was trained on other keypoint'):
        visualize([arguments[0], f'{tmp_path}/posetrack.pth', *arguments[2:]])
    assert not (tmp_path / 'none').exists()
