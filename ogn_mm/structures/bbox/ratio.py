"""Ratio-consistent boxes (sections 3.2 and 4.1, "Test details")."""

import numpy as np
import torch


def extend_to_ratio(boxes, ratio: float, padding: float = 1.0):
    """Extend boxes around their centres to one ratio of width to height.

    The side that is too short grows; none shrinks. Then both are multiplied by
    ``padding``. The result may reach beyond the image: it is not clipped.

    MMPose's top-down crop is this function with the input's ratio: what
    `GetBBoxCenterScale(padding)` and `TopdownAffine(input_size)` cut out is
    ``extend_to_ratio(boxes, W / H, padding)``.

    Args:
        boxes (np.ndarray | torch.Tensor): x1, y1, x2, y2 in any unit, (..., 4),
            floating point. Width is x2 - x1, height y2 - y1; neither negative.
        ratio (float): Width over height of the result, > 0; 3 / 4 for an input of
            256 x 192 (H x W), 8 / 11 for 352 x 256.
        padding (float): Factor on both sides, > 0. Defaults to 1.0.

    Returns:
        np.ndarray | torch.Tensor: Of the input's kind, type, device and shape.
        Boxes without area stay points.

    Raises:
        ValueError: ``ratio`` or ``padding`` is not positive.
    """
    for name, value in (('ratio', ratio), ('padding', padding)):
        if not value > 0:
            raise ValueError(f'extend_to_ratio: {name} must be positive, got {value}')
    x1, y1, x2, y2 = (boxes[..., i : i + 1] for i in range(4))
    width, height = x2 - x1, y2 - y1
    half_width = width.clip(min=height * ratio) * (padding / 2)
    half_height = height.clip(min=width / ratio) * (padding / 2)
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    sides = x - half_width, y - half_height, x + half_width, y + half_height
    concatenate = torch.cat if isinstance(boxes, torch.Tensor) else np.concatenate
    return concatenate(sides, -1)
