"""Gaussian smoothing of low-resolution heatmaps as two small matrix products."""

from functools import lru_cache

import torch
from torch import Tensor


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
