"""Keypoints as one pixel of a softmax over the map, as in Mask R-CNN.

He et al., Mask R-CNN, ICCV 2017, section 5. In this file a map's pixel j covers the
coordinates from j - 0.5 to j + 0.5.
"""

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from .disks import disk_windows

# Positions a map pixel is divided into, per axis, when a maximum is refined.
SUBPIXELS = 8
# Best pixels of a map around which its maximum is looked for.
PEAKS = 8


def one_hot_targets(points: Tensor, map_size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """The pixel that each keypoint lies in.

    Args:
        points (Tensor): Coordinates in map pixels, (R, K, 2).
        map_size (tuple[int, int]): (W, H).

    Returns:
        tuple[Tensor, Tensor]: (R, K) each:

        - indices into H * W, int64; 0 for keypoints outside the map.
        - inside, bool: whether the keypoint lies on the map, edges included.
    """
    width, height = map_size
    from_edge = points + 0.5
    size = points.new_tensor(map_size)
    inside = ((from_edge >= 0) & (from_edge <= size)).all(dim=-1)
    from_edge = from_edge.where(inside[..., None], 0.0)
    column = from_edge[..., 0].long().clamp(max=width - 1)
    row = from_edge[..., 1].long().clamp(max=height - 1)
    return row * width + column, inside


@lru_cache(maxsize=8)
def subpixel_matrix(device: torch.device) -> Tensor:
    """Bicubic weights of the 5x5 pixels around a maximum, ((2 * SUBPIXELS)^2, 25).

    A row belongs to a position, in each direction at (i + 0.5) / SUBPIXELS - 1 from the
    middle pixel.
    """
    single = torch.eye(25).view(25, 1, 5, 5)
    upsampled = F.interpolate(single, scale_factor=SUBPIXELS, mode='bicubic')
    near = slice(3 * SUBPIXELS // 2, 7 * SUBPIXELS // 2)
    return upsampled[:, 0, near, near].flatten(1).T.to(device)


@torch.no_grad()
def decode_one_hot(logits: Tensor) -> Tensor:
    """Find each map's maximum between its pixels.

    Mask R-CNN's implementations enlarge each map to the size of its ROI, ROI by ROI,
    by bicubic interpolation, and take the best pixel there. Here all maps are
    interpolated at once, at ``SUBPIXELS`` positions a pixel, closer than one pixel to
    one of their ``PEAKS`` best pixels. For a ROI ``SUBPIXELS`` times as large as the
    map it is the same, if the interpolation's maximum lies there.

    Args:
        logits (Tensor): (R, K, H, W).

    Returns:
        Tensor: In map pixels, on the map, float32, (R, K, 2).
    """
    height, width = logits.shape[2:]
    flat = logits.float().flatten(2)
    # the interpolation's maximum may be far from the map's single best pixel
    best = flat.topk(min(PEAKS, height * width), dim=2).indices[..., None]
    row, column = best // width, best % width
    around = torch.arange(-2, 3, device=logits.device)
    # as the interpolation does, the map is continued by its outermost pixels
    rows = (row + around).clamp(0, height - 1)
    columns = (column + around).clamp(0, width - 1)
    index = rows[..., None] * width + columns[..., None, :]
    patches = flat.gather(2, index.flatten(2)).view(*best.shape[:3], 25)

    matrix = subpixel_matrix(logits.device)
    with torch.autocast(logits.device.type, enabled=False):
        refined = (patches @ matrix.T).flatten(2)
    found = refined.argmax(dim=2, keepdim=True)
    pixel = best.squeeze(3).gather(2, found // len(matrix))
    step = found % len(matrix)
    x = pixel % width + (step % (2 * SUBPIXELS) + 0.5) / SUBPIXELS - 1
    y = pixel // width + (step // (2 * SUBPIXELS) + 0.5) / SUBPIXELS - 1
    points = torch.cat([x, y], dim=2)
    size = points.new_tensor([width, height])
    return points.clamp(min=-0.5).minimum(size - 0.5)


def probability_within(probabilities: Tensor, points: Tensor, radius: float) -> Tensor:
    """How probable it is that a keypoint lies near a point.

    Unlike the probability of the best pixel, it doesn't fall as maps get finer while
    the radius grows with them.

    Args:
        probabilities (Tensor): Of each pixel, sum 1 a map, (R, K, H, W).
        points (Tensor): In map pixels, (R, K, 2).
        radius (float): In map pixels.

    Returns:
        Tensor: Sum over the pixels whose centres are within the radius, in [0, 1],
        (R, K).
    """
    height, width = probabilities.shape[2:]
    everywhere = points.new_ones(points.shape[:2], dtype=torch.bool)
    near = disk_windows(points, everywhere, (width, height), radius)
    values = probabilities.flatten(2).gather(2, near.pixels)
    return (values * near.inside).sum(dim=2).clamp(max=1)
