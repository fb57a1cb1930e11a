"""Optical flow between two frames, as modules that a config can exchange."""

import cv2
import numpy as np
import torch
from mmpose.registry import TASK_UTILS
from torch import nn
from torchvision.models import optical_flow

from ogn_mm.engine.checkpoint import load_weights
from ogn_mm.structures.bbox.checks import check_count

DIS_PRESETS = dict(
    ultrafast=cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    fast=cv2.DISOPTICAL_FLOW_PRESET_FAST,
    medium=cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
)
# RAFT's correlation pyramid halves its map at 1/8 of the input three times.
RAFT_STRIDE, RAFT_MIN_SIZE = 8, 128


@TASK_UTILS.register_module()
class DISFlow:
    """Dense inverse search (Kroeger et al., ECCV 2016) of OpenCV; needs no weights.

    Args:
        preset (str): 'ultrafast', 'fast' or 'medium'. Defaults to 'medium'.

    Raises:
        ValueError: There is no such preset.
    """

    def __init__(self, preset: str = 'medium'):
        if preset not in DIS_PRESETS:
            raise ValueError(
                f'DISFlow: preset must be one of {", ".join(DIS_PRESETS)}, got '
                f'{preset!r}'
            )
        self.dis = cv2.DISOpticalFlow_create(DIS_PRESETS[preset])

    def flow(self, previous_frame: np.ndarray, frame: np.ndarray) -> np.ndarray:
        """Displacement of the previous frame's pixels.

        Args:
            previous_frame (np.ndarray): uint8, BGR, (H, W, 3).
            frame (np.ndarray): The same.

        Returns:
            np.ndarray: x and y in pixels, float32, (H, W, 2).
        """
        return self.dis.calc(
            *(cv2.cvtColor(f, cv2.COLOR_BGR2GRAY) for f in (previous_frame, frame)),
            None,
        )


@TASK_UTILS.register_module()
class RAFTFlow(nn.Module):
    """RAFT (Teed and Deng, ECCV 2020) of torchvision.

    Args:
        size (str): 'large' or 'small'. Defaults to 'large'.
        checkpoint (str, optional): File or address of weights, for example those of
            ``torchvision.models.optical_flow.Raft_Large_Weights``. None: random, or
            those of the checkpoint of the model that this is a part of.
        num_updates (int): Iterations. Defaults to 12.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: There is no such size, or no update, or the checkpoint does not fit.
    """

    def __init__(
        self, size: str = 'large', checkpoint: str | None = None, num_updates: int = 12
    ):
        super().__init__()
        if size not in ('large', 'small'):
            raise ValueError(f"RAFTFlow: size must be 'large' or 'small', got {size!r}")
        check_count('num_updates', num_updates)
        self.raft = getattr(optical_flow, f'raft_{size}')()
        self.num_updates = num_updates
        self.eval()
        if checkpoint is not None:
            load_weights(self.raft, checkpoint)

    @torch.no_grad()
    def flow(self, previous_frame: np.ndarray, frame: np.ndarray) -> np.ndarray:
        """As :meth:`DISFlow.flow`; small or odd frames are padded by their edges."""
        height, width = frame.shape[:2]
        device = next(self.parameters()).device
        images = np.stack([previous_frame, frame])[..., ::-1].transpose(0, 3, 1, 2)
        images = torch.from_numpy(images.copy()).to(device) / 127.5 - 1
        right, bottom = (
            max(-side % RAFT_STRIDE, RAFT_MIN_SIZE - side) for side in (width, height)
        )
        images = nn.functional.pad(images, (0, right, 0, bottom), mode='replicate')
        flow = self.raft(images[:1], images[1:], self.num_updates)[-1]
        return flow[0, :, :height, :width].permute(1, 2, 0).cpu().numpy()
