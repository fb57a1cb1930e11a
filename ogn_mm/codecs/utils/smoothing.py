"""Gaussian smoothing of low-resolution heatmaps."""

import math
from collections.abc import Iterator
from functools import lru_cache

import torch
from torch import Tensor

# Floats that are smoothed at a time on the CPU. Fewer are spread over more calls, more
# do not stay in its caches; 1 << 17 and 1 << 20 are slower.
CPU_CHUNK = 1 << 18


def is_exporting() -> bool:
    """Whether the running code is being traced, exported or compiled."""
    return torch.jit.is_tracing() or torch.compiler.is_compiling()


@lru_cache(maxsize=32)
def gaussian_matrix(
    size: int, kernel_size: int, sigma: float, device: torch.device
) -> Tensor:
    """The banded matrix that smooths ``size`` samples with a Gaussian.

    Each row holds the kernel centred at that sample, cut off at the border and
    normalised to sum 1, so that a peak at the border is not pulled inwards by
    values that do not exist.

    Args:
        size (int): Number of samples along the axis.
        kernel_size (int): Number of taps, odd.
        sigma (float): Standard deviation in samples.
        device (torch.device): Where the matrix is kept.

    Returns:
        Tensor: (size, size), float32.
    """
    position = torch.arange(size, dtype=torch.float64)
    distance = position - position[:, None]
    matrix = torch.exp(-0.5 * (distance / sigma) ** 2)
    matrix[distance.abs() > kernel_size // 2] = 0
    matrix /= matrix.sum(1, keepdim=True)
    return matrix.float().to(device)


def smooth_heatmaps(heatmaps: Tensor, kernel_size: int, sigma: float) -> Tensor:
    """Smooth heatmaps with a Gaussian ("Test details" in section 4.1).

    At the resolutions of keypoint heads two dense products with banded
    matrices are faster than a convolution over single-channel maps.

    Args:
        heatmaps (Tensor): (..., H, W), float32.
        kernel_size (int): Number of taps per axis, odd; 1 leaves all as it is.
        sigma (float): Standard deviation in heatmap pixels.

    Returns:
        Tensor: The smoothed heatmaps, (..., H, W), float32.
    """
    if kernel_size == 1:
        return heatmaps
    height, width = heatmaps.shape[-2:]
    # an exporter's stand-ins for tensors must not get into the cache
    matrix = gaussian_matrix.__wrapped__ if is_exporting() else gaussian_matrix
    rows = matrix(height, kernel_size, sigma, heatmaps.device)
    columns = matrix(width, kernel_size, sigma, heatmaps.device)
    # autocast would round the maps to half precision on the way
    with torch.autocast(heatmaps.device.type, enabled=False):
        return rows @ (heatmaps @ columns.T)


def smooth_in_chunks(
    heatmaps: Tensor, kernel_size: int, sigma: float
) -> Iterator[Tensor]:
    """Smooth heatmaps on the CPU, a few people at a time.

    Gives what :func:`smooth_heatmaps` gives, faster: the chunks are written to the
    same memory and stay in the cache, so each is valid only until the next. Along the
    rows it is a matrix product; across them, where neighbours lie far apart in memory
    and whole rows can be added, a weighted sum of shifted maps.

    Args:
        heatmaps (Tensor): (B, K, H, W), float32, without gradients.
        kernel_size (int): Number of taps per axis, odd; 1 leaves all as it is.
        sigma (float): Standard deviation in heatmap pixels.

    Yields:
        Tensor: The next smoothed heatmaps, (b, K, H, W), float32.
    """
    if kernel_size == 1:
        yield heatmaps
        return
    keypoints, height, width = heatmaps.shape[1:]
    columns = gaussian_matrix(width, kernel_size, sigma, heatmaps.device)
    rows = gaussian_matrix(height, kernel_size, sigma, heatmaps.device)
    centre_weights = rows.diagonal()[:, None]
    # of the neighbours at distance 1, 2, ..., where the centre has weight 1
    weights = [
        math.exp(-0.5 * (distance / sigma) ** 2)
        for distance in range(1, kernel_size // 2 + 1)
    ]
    people = max(1, CPU_CHUNK // (keypoints * height * width))
    buffers = heatmaps.new_empty(2, people, keypoints, height, width)
    for chunk in heatmaps.split(people):
        n = len(chunk)
        across, smoothed = buffers[:, :n]
        torch.bmm(
            chunk.flatten(1, 2), columns.T.expand(n, -1, -1), out=across.flatten(1, 2)
        )
        smoothed.copy_(across)
        for distance, weight in enumerate(weights, start=1):
            smoothed[..., distance:, :].add_(across[..., :-distance, :], alpha=weight)
            smoothed[..., :-distance, :].add_(across[..., distance:, :], alpha=weight)
        yield smoothed.mul_(centre_weights)
