"""Targets of the offset-guided network: disks and the offsets inside them."""

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


def batch_disk_targets(
    points: Tensor, valid: Tensor, map_size: tuple[int, int], radius: float
) -> tuple[Tensor, Tensor]:
    """Draw the disk and the offsets of every keypoint of many ROIs (eq. 1 and 2).

    What :func:`generate_disk_targets` draws for one person at a time, on any device.

    Args:
        points (Tensor): Coordinates in map pixels, (R, K, 2), float32.
        valid (Tensor): Which keypoints to draw, bool, (R, K).
        map_size (tuple[int, int]): (W, H).
        radius (float): Disk radius in map pixels.

    Returns:
        tuple[Tensor, Tensor]: float32:

        - heatmaps (R, K, H, W): 1 within the radius of the keypoint, else 0.
        - offsets (R, 2K, H, W): (g - x) / R inside the disks, else 0, channels
          x0, y0, x1, y1, ...
    """
    inside, x, y = pixels_within(points, map_size, radius)
    heatmaps = (inside & valid[..., None, None]).float()
    offsets = torch.stack(
        [heatmaps * x[..., None, :], heatmaps * y[..., None]], dim=2
    ).flatten(1, 2)
    return heatmaps, offsets / radius


def pixels_within(
    points: Tensor, map_size: tuple[int, int], radius: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Which pixels have their centres within the radius of points (eq. 1).

    Args:
        points (Tensor): Coordinates in map pixels, (R, K, 2).
        map_size (tuple[int, int]): (W, H).
        radius (float): In map pixels.

    Returns:
        tuple[Tensor, Tensor, Tensor]: The pixels, bool, (R, K, H, W), and how far the
        point lies to the right of each column, (R, K, W), and below each row,
        (R, K, H).
    """
    width, height = map_size
    x = points[..., 0, None] - torch.arange(width, device=points.device)
    y = points[..., 1, None] - torch.arange(height, device=points.device)
    return x.square()[..., None, :] + y.square()[..., None] <= radius**2, x, y
