"""MMDetection's detectors, thin enough for tests: same parts, fewer channels."""

import copy
from functools import cache

from mmengine.config import Config

CHANNELS = {256: 16, 1024: 32}


def shrink(node):
    """Thin out heads and neck of a model's config in place."""
    if isinstance(node, list | tuple):
        for value in node:
            shrink(value)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key.endswith('channels') and isinstance(value, int):
                node[key] = CHANNELS.get(value, value)
            else:
                shrink(value)


@cache
def read_config(path) -> Config:
    """A config, not to be changed: parsing one with many bases takes a while."""
    return Config.fromfile(path)


def load_tiny(path) -> Config:
    """A config with its model behind a narrow ResNet-18, nothing to download."""
    config = copy.deepcopy(read_config(path))
    model = config.model
    shrink(model)
    if model.backbone.depth != 18:
        model.backbone = dict(type='ResNet', depth=18, base_channels=8)
        model.neck.in_channels = [8, 16, 32, 64]
    model.backbone.init_cfg = None
    return config


def load_tiny_keypoint_rcnn(path) -> Config:
    """As above, with a thin keypoint head; untrained boxes are kept, five an image."""
    config = load_tiny(path)
    config.model.roi_head.keypoint_head.update(num_convs=2, conv_out_channels=16)
    config.model.test_cfg.rcnn.update(score_thr=0.0, max_per_img=5)
    for step in config.test_dataloader.dataset.pipeline:
        if step.type == 'Resize':
            step.scale = (160, 120)
    return config
