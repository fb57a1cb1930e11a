"""Fusion of heatmaps and offsets into keypoints, batched on any device."""

import torch
from torch import Tensor

from .smoothing import is_exporting, smooth_heatmaps, smooth_in_chunks


def argmax_2d(maps: Tensor) -> Tensor:
    """The flat index of each map's first maximum.

    Args:
        maps (Tensor): (B, K, H, W).

    Returns:
        Tensor: Indices into H * W, int64, (B, K).
    """
    flat = maps.flatten(2)
    if flat.is_cpu and not is_exporting():
        # NumPy's argmax is about ten times faster than PyTorch's on the CPU
        return torch.from_numpy(flat.numpy().argmax(-1))
    return flat.argmax(-1)


def smoothed_argmax(heatmaps: Tensor, kernel_size: int, sigma: float) -> Tensor:
    """The flat index of each smoothed heatmap's maximum (eq. 3).

    Args:
        heatmaps (Tensor): (B, K, H, W), float32.
        kernel_size (int): Number of taps per axis, odd.
        sigma (float): Standard deviation in heatmap pixels.

    Returns:
        Tensor: Indices into H * W, int64, (B, K).
    """
    if not heatmaps.is_cpu or is_exporting():
        return argmax_2d(smooth_heatmaps(heatmaps, kernel_size, sigma))
    chunks = smooth_in_chunks(heatmaps, kernel_size, sigma)
    return torch.cat([argmax_2d(chunk) for chunk in chunks])


@torch.no_grad()
def fuse_heatmaps_and_offsets(
    maps: Tensor, radius: float, kernel_size: int, sigma: float
) -> tuple[Tensor, Tensor]:
    """Take each heatmap's best pixel and move it by the offset there (eq. 3, 4).

    The heatmaps are smoothed to find the pixel; the score is the value of the
    map before smoothing, so that it means the same at every resolution.

    Args:
        maps (Tensor): K heatmaps, then 2K offset maps x0, y0, x1, y1, ... in
            units of the radius, (B, 3K, H, W), any float type.
        radius (float): Disk radius R in heatmap pixels.
        kernel_size (int): Taps of the smoothing kernel per axis, odd; 1 for
            none.
        sigma (float): Its standard deviation in heatmap pixels.

    Returns:
        tuple[Tensor, Tensor]: On the device of ``maps``, float32:

        - keypoints (B, K, 2) in heatmap pixels.
        - scores (B, K) in [0, 1].
    """
    batch, channels, height, width = maps.shape
    num_keypoints = channels // 3
    heatmaps, offsets = maps[:, :num_keypoints], maps[:, num_keypoints:]
    best = smoothed_argmax(heatmaps.float(), kernel_size, sigma)
    scores = heatmaps.flatten(2).gather(2, best[..., None])[..., 0]
    offsets = offsets.reshape(batch, num_keypoints, 2, height * width)
    offsets = offsets.gather(3, best[..., None, None].expand(-1, -1, 2, 1))[..., 0]
    pixels = torch.stack((best % width, best // width), dim=-1)
    return pixels + offsets.float() * radius, scores.float().clamp(0, 1)
