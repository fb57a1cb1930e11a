"""Fusion of heatmaps and offsets into keypoints, batched on any device."""

from functools import lru_cache

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
        return torch.from_numpy(flat.detach().numpy().argmax(-1))
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


@lru_cache(maxsize=32)
def steps_within(radius: float, device: torch.device) -> Tensor:
    """The steps (dx, dy) from a pixel to those within ``radius`` of it, itself first.

    Args:
        radius (float): In pixels, >= 0.
        device (torch.device): Where the steps are kept.

    Returns:
        Tensor: (V, 2), int64.
    """
    reach = range(-int(radius), int(radius) + 1)
    steps = [(x, y) for x in reach for y in reach if x * x + y * y <= radius**2]
    steps.sort(key=lambda step: step[0] ** 2 + step[1] ** 2)
    return torch.tensor(steps, device=device)


def average_votes(
    heatmaps: Tensor,
    best: Tensor,
    vote_radius: float,
    offsets: Tensor | None = None,
    radius: float = 1,
) -> Tensor:
    """Average where the pixels around the best one see the keypoint.

    Each pixel x within ``vote_radius`` of the best one votes for x + R o(x), with its
    heatmap's value as weight, so that pixels outside the disk hardly count.

    Args:
        heatmaps (Tensor): (B, K, H, W), any float type.
        best (Tensor): Flat index of each best pixel, int64, (B, K).
        vote_radius (float): In heatmap pixels, > 0.
        offsets (Tensor, optional): In units of the radius, (B, K, 2, H, W). Defaults
            to None: each pixel votes for itself.
        radius (float): Disk radius R in heatmap pixels. Defaults to 1.

    Returns:
        Tensor: Keypoints in heatmap pixels, float32, (B, K, 2).
    """
    height, width = heatmaps.shape[2:]
    within = steps_within.__wrapped__ if is_exporting() else steps_within
    steps = within(vote_radius, heatmaps.device)
    x = best[..., None] % width + steps[:, 0]
    y = best[..., None] // width + steps[:, 1]
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    index = torch.where(inside, y * width + x, best[..., None])
    weights = heatmaps.flatten(2).gather(2, index).float().clamp(min=0) * inside
    weights[..., 0].clamp_(min=1e-6)  # the best pixel's, on a map without positives
    votes = torch.stack((x, y), dim=2)
    if offsets is not None:
        offsets = offsets.flatten(3).gather(3, index[:, :, None].expand(-1, -1, 2, -1))
        votes = votes + offsets.float() * radius
    return (votes * weights[:, :, None]).sum(3) / weights.sum(2, keepdim=True)


@torch.no_grad()
def fuse_heatmaps_and_offsets(
    maps: Tensor, radius: float, kernel_size: int, sigma: float, vote_radius: float = 0
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
        vote_radius (float): Pixels within this distance of the best one vote, see
            :func:`average_votes`. Defaults to 0: the best pixel alone.

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
    scores = scores.float().clamp(0, 1)
    offsets = offsets.reshape(batch, num_keypoints, 2, height, width)
    if vote_radius > 0:
        return average_votes(heatmaps, best, vote_radius, offsets, radius), scores
    offsets = offsets.flatten(3)
    offsets = offsets.gather(3, best[..., None, None].expand(-1, -1, 2, 1))[..., 0]
    pixels = torch.stack((best % width, best // width), dim=-1)
    return pixels + offsets.float() * radius, scores
