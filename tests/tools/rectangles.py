"""Videos of two rectangles, a detector that finds them, and a config to track them."""

from pathlib import Path

import cv2
import numpy as np
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from torch import nn

from ogn_mm.models.utils import build_part

ROOT = Path(__file__).parents[2]
POSE = ROOT / 'configs/demo/td-ogn_res18-1deconv_1xb32-16e_generated-128x96.py'
# sharp edges between colours
JPEG = [
    *(cv2.IMWRITE_JPEG_QUALITY, 100),
    *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
]
DETECTOR = """
model = dict(type='Rectangles')
test_dataloader = dict(dataset=dict(pipeline=[dict(type='PackDetInputs')]))
"""
CONFIG = f"""
custom_imports = dict(imports=['ogn_mm', 'rectangles'], allow_failed_imports=False)
model = dict(
    type='VideoPoseEstimator',
    detector=dict(config='DETECTOR'),
    pose_estimator=dict(config='{POSE}'),
    appearance=dict(type='ColorStripes'),
    flow=dict(type='DISFlow', preset='ultrafast'),
    propagation=dict(min_score=0.0),
    tracker=dict(
        type='PoseTracker',
        cues=[
            dict(type='BoxIoU', weight=3), dict(type='ReIDDistance'),
            dict(type='FlowOKS')]))
"""


@MODELS.register_module(force=True)
class Rectangles(nn.Module):
    """Detects the red and the green rectangle of a frame."""

    def test_step(self, batch):
        image = batch['inputs'][0].float()
        boxes = []
        for channel in (1, 2):
            rest = image[[c for c in range(3) if c != channel]].amax(0)
            y, x = ((image[channel] > 180) & (rest < 80)).nonzero().unbind(1)
            if len(x):
                boxes.append([x.min(), y.min(), x.max() + 1, y.max() + 1])
        boxes = torch.tensor(boxes).reshape(-1, 4).float()
        sample = DetDataSample()
        sample.pred_instances = InstanceData(
            bboxes=boxes,
            scores=torch.full((len(boxes),), 0.9),
            labels=torch.zeros(len(boxes), dtype=torch.long),
        )
        return [sample]


@MODELS.register_module(force=True)
class RectanglesWithKeypoints(Rectangles):
    """Gives them keypoints on their diagonals as well."""

    def test_step(self, batch):
        (sample,) = super().test_step(batch)
        found = sample.pred_instances
        low, high = found.bboxes.chunk(2, dim=1)
        steps = torch.linspace(0.1, 0.9, 17)[:, None]
        found.keypoints = low[:, None] + steps * (high - low)[:, None]
        found.keypoint_scores = torch.full((len(low), 17), 0.9)
        return [sample]


def picture(background, shift):
    """Two people of one colour each, who pass each other."""
    image = background.copy()
    image[20:60, 10 + shift : 30 + shift] = (0, 0, 230)
    image[30:80, 90 - shift : 112 - shift] = (0, 230, 0)
    return image


def make_setting(folder, count):
    """Config, checkpoint of the pose network, and a folder of so many frames."""
    (folder / 'detector.py').write_text(DETECTOR)
    config = folder / 'config.py'
    config.write_text(CONFIG.replace('DETECTOR', str(folder / 'detector.py')))
    frames = folder / '000001_mpii_test'
    frames.mkdir()
    noise = np.random.default_rng(0).uniform(0, 100, (96, 128, 3))
    background = cv2.GaussianBlur(noise, None, 2).astype(np.uint8)
    for t in range(count):
        image = picture(background, 48 * t // (count - 1))
        cv2.imwrite(str(frames / f'{t:06d}.jpg'), image, JPEG)
    torch.manual_seed(0)
    network, _ = build_part('mmpose', str(POSE))
    torch.save(network.state_dict(), folder / 'pose.pth')
    return config, frames, folder / 'pose.pth'
