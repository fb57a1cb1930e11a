"""Targets of the offset-guided network: disks and the offsets inside them."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


def generate_disk_targets(
    keypoints: np.ndarray,
    valid: np.ndarray,
    heatmap_size: tuple[int, int],
    radius: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw a disk and its offset field around every keypoint (eq. 1 and 2).

    Only the windows that hold the disks are computed and written. Where disks
    of the same keypoint type overlap, a pixel belongs to the nearest keypoint.

    Args:
        keypoints (np.ndarray): Coordinates in heatmap pixels, (N, K, 2),
            finite.
        valid (np.ndarray): Which keypoints to draw, bool, (N, K).
        heatmap_size (tuple[int, int]): (W, H).
        radius (float): Disk radius R in heatmap pixels.

    Returns:
        tuple of float32 and bool arrays:

        - heatmaps (K, H, W): 1 within R of a keypoint, else 0 (eq. 1).
        - offsets (2K, H, W): (g - x) / R inside the disks, in [-1, 1], else 0
          (eq. 2), channels x0, y0, x1, y1, ...
        - drawn (N, K): whether any pixel lies within R of the keypoint.
    """
    num_people, num_keypoints = valid.shape
    width, height = heatmap_size
    area = width * height

    # pixels first, first + 1, ... are the only ones that R can reach
    xy = keypoints.reshape(-1, 2, 1)
    pixels = np.ceil(xy - radius) + np.arange(int(2 * radius) + 1)
    delta = xy - pixels
    squared = delta * delta
    squared[(pixels < 0) | (pixels >= np.array(heatmap_size)[:, None])] = np.inf
    distance = squared[:, 1, :, None] + squared[:, 0, None, :]
    inside = distance <= radius**2
    inside &= valid.reshape(-1, 1, 1)

    index, row, column = inside.nonzero()
    channel = index
    if num_people > 1:
        # the last of several writes stays: the nearest keypoint comes last
        order = np.argsort(-distance[index, row, column], kind='stable')
        index, row, column = index[order], row[order], column[order]
        channel = index % num_keypoints
    start = channel * area
    pixel = pixels[index, 1, row] * width + pixels[index, 0, column]
    pixel = pixel.astype(np.int64) + start

    maps = np.zeros((3 * num_keypoints, height, width), np.float32)
    heatmaps, offsets = maps[:num_keypoints], maps[num_keypoints:]
    heatmaps.reshape(-1)[pixel] = 1
    pixel += start  # channel 2k holds x, channel 2k + 1 holds y
    delta /= radius
    offsets.reshape(-1)[pixel] = delta[index, 0, column]
    pixel += area
    offsets.reshape(-1)[pixel] = delta[index, 1, row]

    drawn = np.zeros(valid.size, bool)
    drawn[index] = True
    return heatmaps, offsets, drawn.reshape(valid.shape)


class DiskWindows(NamedTuple):
    """The S x S pixels of each map that hold a disk, all of them on the map.

    Attributes:
        pixels (Tensor): As indices into H * W, int64, (R, K, S * S).
        inside (Tensor): Whether the pixel lies in the disk, bool, (R, K, S * S).
        offsets (Tensor): (g - x) / R inside the disks, else 0, float32,
            (R, K, 2, S * S).
    """

    pixels: Tensor
    inside: Tensor
    offsets: Tensor


def disk_windows(
    points: Tensor, valid: Tensor, map_size: tuple[int, int], radius: float
) -> DiskWindows:
    """Find the disk and the offsets of every keypoint of many ROIs (eq. 1 and 2).

    What :func:`generate_disk_targets` draws for one person at a time, on any device.
    Losses and sums over disks need these pixels alone, a hundredth of the maps.

    Args:
        points (Tensor): Coordinates in map pixels, (R, K, 2), float32.
        valid (Tensor): Which keypoints have a disk, bool, (R, K).
        map_size (tuple[int, int]): (W, H).
        radius (float): Disk radius in map pixels.

    Returns:
        DiskWindows: For S = 2 * radius + 2, rounded down, or a smaller map's side.
    """
    axes = []
    for axis, size in enumerate(map_size):
        window = min(int(2 * radius) + 2, size)
        place = points[..., axis, None]
        # a disk at or beyond an edge has its window at the edge
        first = (place - radius).floor().clamp(0, size - window).long()
        pixels = first + torch.arange(window, device=points.device)
        axes.append((pixels, place - pixels))
    (column, x), (row, y) = axes
    index = row[..., None] * map_size[0] + column[..., None, :]
    inside = x.square()[..., None, :] + y.square()[..., None] <= radius**2
    inside &= valid[..., None, None]
    delta = torch.stack(
        [x[..., None, :].expand_as(inside), y[..., None].expand_as(inside)], dim=2
    )
    offsets = delta / radius * inside[:, :, None]
    return DiskWindows(index.flatten(2), inside.flatten(2), offsets.flatten(3))


def draw_windows(values: Tensor, pixels: Tensor, map_size: tuple[int, int]) -> Tensor:
    """Write the pixels of windows into maps that are 0 elsewhere.

    Args:
        values (Tensor): (..., S * S).
        pixels (Tensor): See :class:`DiskWindows`; of the same shape.
        map_size (tuple[int, int]): (W, H).

    Returns:
        Tensor: (..., H, W).
    """
    width, height = map_size
    maps = values.new_zeros(*values.shape[:-1], height * width)
    return maps.scatter_(-1, pixels, values).unflatten(-1, (height, width))


def batch_disk_targets(
    points: Tensor, valid: Tensor, map_size: tuple[int, int], radius: float
) -> tuple[Tensor, Tensor]:
    """The targets of many ROIs as whole maps, see :func:`disk_windows`.

    Returns:
        tuple[Tensor, Tensor]: float32:

        - heatmaps (R, K, H, W): 1 within the radius of the keypoint, else 0.
        - offsets (R, 2K, H, W): (g - x) / R inside the disks, else 0, channels
          x0, y0, x1, y1, ...
    """
    pixels, inside, offsets = disk_windows(points, valid, map_size, radius)
    heatmaps = draw_windows(inside.float(), pixels, map_size)
    pixels = pixels[:, :, None].expand_as(offsets)
    return heatmaps, draw_windows(offsets, pixels, map_size).flatten(1, 2)
