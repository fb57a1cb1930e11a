"""What people look like, as vectors: modules that :class:`ReIDDistance` compares.

Each is called with an image, uint8, BGR, (H, W, 3), and boxes x1, y1, x2, y2 (N, 4); it
returns features of length 1, float32, (N, C), for all boxes at once.
"""

import numpy as np
import torch
from mmcv.ops import roi_align
from mmdet.structures import ReIDDataSample
from mmpose.registry import MODELS
from torch import Tensor, nn

from ogn_mm.engine.checkpoint import load_weights
from ogn_mm.structures.bbox.checks import check_count


def crop_people(image: np.ndarray, boxes: np.ndarray, size: tuple, samples: int):
    """Cut boxes out of an image and bring them to one size.

    Args:
        image (np.ndarray): (H, W, 3).
        boxes (np.ndarray): x1, y1, x2, y2, (N, 4); what is outside the image is not
            cut out. Edges are continuous coordinates: pixel x reaches from x to x + 1.
        size (tuple[int, int]): Width and height of the crops.
        samples (int): Samples in each direction whose mean is a pixel of a crop; with
            1 this is bilinear interpolation, 0 adapts the number to the box.

    Returns:
        Tensor: float32, (N, 3, height, width).
    """
    height, width = image.shape[:2]
    boxes = boxes.clip(0, [width, height, width, height])
    rois = np.concatenate([np.zeros((len(boxes), 1)), boxes], axis=1)
    # mmcv takes it for contiguous whatever its strides are
    pixels = np.ascontiguousarray(image.transpose(2, 0, 1), np.float32)[None]
    pixels, rois = torch.from_numpy(pixels), torch.from_numpy(rois).float()
    return roi_align(pixels, rois, size[::-1], 1.0, samples, 'avg', True)


@MODELS.register_module()
class ReIDFeatures(nn.Module):
    """Features of a re-identification network of MMDetection (section 4.2).

    Args:
        reid (dict): Config of MMDetection's `BaseReID`, as ``model`` of its
            ``configs/reid``.
        checkpoint (str, optional): Its weights. None: random, or those of the
            checkpoint of the model that this is a part of.
        input_size (tuple[int, int]): Width and height of the network's input. Defaults
            to (128, 256), as in MMDetection.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: It does not fit.
    """

    def __init__(
        self, reid: dict, checkpoint: str | None = None, input_size=(128, 256)
    ):
        super().__init__()
        self.reid = MODELS.build({'_scope_': 'mmdet', **reid})
        self.input_size = tuple(input_size)
        self.eval()
        if checkpoint is not None:
            load_weights(self.reid, checkpoint)

    @torch.no_grad()
    def forward(self, image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """See the module."""
        if not len(boxes):
            return np.zeros((0, self.reid.head.out_channels), np.float32)
        # as MMDetection resizes: bilinear, without smoothing
        crops = crop_people(image, boxes, self.input_size, samples=1)
        # it looks for a label in the first sample, though only training has any
        data = dict(inputs=crops, data_samples=[ReIDDataSample()])
        inputs = self.reid.data_preprocessor(data)['inputs']
        features = self.reid(inputs, mode='tensor')
        return nn.functional.normalize(features).cpu().numpy()


@MODELS.register_module()
class ColorStripes(nn.Module):
    """Colour histograms of a box's horizontal stripes: no network and no weights.

    A stand-in for a re-identification network in demos and tests: it tells clothes
    apart, not people, and knows no pose. The margins left and right, mostly background,
    are cut off. The roots of the histograms' shares are compared (Hellinger distance).

    Args:
        stripes (int): From head to feet. Defaults to 6.
        bins (int): Of each of the three colours. Defaults to 4.
        margin (float): Share of the width cut off on each side, in [0, 0.5). Defaults
            to 0.2.

    Raises:
        ValueError: An argument is out of its range.
    """

    pixels = 8  # of a stripe, in each direction

    def __init__(self, stripes: int = 6, bins: int = 4, margin: float = 0.2):
        super().__init__()
        check_count('stripes', stripes)
        check_count('bins', bins)
        if not 0 <= margin < 0.5:
            raise ValueError(f'margin must be at least 0 and below 0.5, got {margin}')
        self.stripes = stripes
        self.bins = bins
        self.margin = margin

    def forward(self, image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """See the module."""
        cut = (boxes[:, 2] - boxes[:, 0]) * self.margin
        inner = boxes + np.stack([cut, 0 * cut, -cut, 0 * cut], axis=1)
        size = (self.pixels, self.pixels * self.stripes)
        crops = crop_people(image, inner, size, samples=2)
        return self.histograms(crops).numpy()

    def histograms(self, crops: Tensor) -> Tensor:
        """Of crops (N, 3, H, W) in [0, 255], (N, stripes * bins ** 3)."""
        levels = (crops * (self.bins / 256)).long().clamp(max=self.bins - 1)
        colors = (levels[:, 0] * self.bins + levels[:, 1]) * self.bins + levels[:, 2]
        pixels = crops.shape[2] * crops.shape[3]
        colors = colors.reshape(len(crops), self.stripes, pixels // self.stripes)
        counts = torch.zeros(*colors.shape[:2], self.bins**3)
        counts.scatter_add_(2, colors, torch.ones(colors.shape))
        return (counts.flatten(1) / pixels).sqrt()
