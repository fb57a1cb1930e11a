"""Training begins from MMPose's checkpoints: what they give, and what is new."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.runner import Runner, save_checkpoint
from mmpose.datasets import CocoDataset
from mmpose.registry import MODELS

import ogn_mm  # noqa: F401

CONFIGS = Path(__file__).parents[1] / 'configs/ogn_topdown'
OFFSET_LAYER = {'head.offset_layer.weight', 'head.offset_layer.bias'}
RES50 = 'res50-3deconv_8xb8-22e_coco-256x192_from-td-hm'


def load_configs(ours, theirs):
    """Our config and MMPose's, neither with pretrained weights."""
    scope = 'mmpose::body_2d_keypoint/topdown_heatmap/coco'
    configs = (
        Config.fromfile(CONFIGS / f'td-ogn_{ours}.py'),
        get_config(f'{scope}/td-hm_{theirs}.py'),
    )
    for config in configs:
        config.model.backbone.init_cfg = None
    return configs


@pytest.mark.parametrize(
    'ours, theirs',
    [
        (RES50, 'res50_8xb64-210e_coco-256x192'),
        *[('hrnet-w32_8xb64-210e_coco-256x192',) * 2],
        *[('ViTPose-small_8xb64-210e_coco-256x192',) * 2],
    ],
)
def test_the_offset_layer_alone_is_new(ours, theirs):
    """All other weights have the names and shapes of MMPose's own."""
    with torch.device('meta'):  # shapes, without memory
        models = [MODELS.build(config.model) for config in load_configs(ours, theirs)]
    shapes, given = (
        {name: value.shape for name, value in model.state_dict().items()}
        for model in models
    )
    for name in OFFSET_LAYER:
        del shapes[name]
    assert shapes == given


def test_load_from_takes_all_that_mmpose_learnt(tmp_path):
    """A checkpoint as MMPose publishes it, read by the Runner as training does."""
    config, theirs = load_configs(RES50, 'res50_8xb64-210e_coco-256x192')
    for model in (config.model, theirs.model):  # half the weights of ResNet-50
        model.backbone.depth, model.head.in_channels = 18, 512
    weights = MODELS.build(theirs.model).state_dict()
    meta = dict(epoch=210, cfg=theirs.pretty_text, mmengine_version='0.7.0')
    meta['dataset_meta'] = CocoDataset._load_metainfo()
    path = tmp_path / 'td-hm.pth'
    save_checkpoint(dict(meta=meta, state_dict=weights), str(path))

    assert config.load_from.startswith('https://download.openmmlab.com/mmpose/')
    config.load_from, config.work_dir = str(path), str(tmp_path)
    runner = Runner.from_cfg(config)
    before = {name: value.clone() for name, value in runner.model.state_dict().items()}
    runner.load_or_resume()
    for name, value in runner.model.state_dict().items():
        source = before if name in OFFSET_LAYER else weights
        assert torch.equal(value, source[name]), name
