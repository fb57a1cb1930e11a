"""What an offset-guided network predicts, drawn on its input."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle


def draw_heatmaps(axes: Axes, crop: np.ndarray, heatmaps: np.ndarray) -> None:
    """Lay the strongest of several heatmaps over the input.

    Args:
        axes (Axes): Where to draw, in input pixels.
        crop (np.ndarray): The network's input, RGB, uint8, (h, w, 3).
        heatmaps (np.ndarray): In [0, 1], (K, H, W).
    """
    height, width = crop.shape[:2]
    gray = crop.mean(axis=2)
    strength = heatmaps.max(axis=0).clip(0, 1)
    # pixel centres are integers: the outer pixels' borders lie half a pixel outside
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    # dimmed, so that what is drawn on it is seen
    axes.imshow(gray, cmap='gray', vmin=0, vmax=400, extent=extent)
    axes.imshow(
        strength, cmap='inferno', alpha=0.6 * strength, extent=extent, vmin=0, vmax=1
    )
    axes.set(xticks=(), yticks=(), facecolor='black')


def draw_disk(
    axes: Axes,
    heatmap: np.ndarray,
    offsets: np.ndarray,
    radius: float,
    stride: np.ndarray,
    color: str | tuple = 'tab:cyan',
    threshold: float = 0.5,
) -> None:
    """Draw an arrow from each pixel of a disk to the keypoint that it points at.

    Args:
        axes (Axes): Where to draw, in input pixels.
        heatmap (np.ndarray): One keypoint's heatmap, (H, W).
        offsets (np.ndarray): Its offset maps x and y in units of the radius, (2, H, W).
        radius (float): Disk radius R in heatmap pixels.
        stride (np.ndarray): Input pixels per heatmap pixel, x and y, (2,).
        color (str | tuple): Of the arrows.
        threshold (float): The disk is where the heatmap reaches this share of its
            maximum. Defaults to 0.5.
    """
    rows, columns = np.nonzero(heatmap >= threshold * max(heatmap.max(), 1e-6))
    start = (np.stack([columns, rows], axis=1) + 0.5) * stride - 0.5
    arrows = offsets[:, rows, columns].T * radius * stride
    axes.quiver(
        *start.T,
        *arrows.T,
        color=color,
        angles='xy',
        scale_units='xy',
        scale=1,
        units='width',
        width=0.008,
        headwidth=4,
    )
    axes.plot(*start.T, '.', color=color, markersize=3)


def draw_offset_field(
    crop: np.ndarray,
    heatmaps: np.ndarray,
    offsets: np.ndarray,
    radius: float,
    keypoints: np.ndarray,
    ground_truth: np.ndarray | None = None,
    zoom: Sequence[int] = (0,),
    names: Sequence[str] | None = None,
) -> Figure:
    """Draw one person's heatmaps, and the disks and offsets of some keypoints.

    Args:
        crop (np.ndarray): The network's input, RGB, uint8, (h, w, 3).
        heatmaps (np.ndarray): (K, H, W).
        offsets (np.ndarray): In units of the radius, channels x0, y0, x1, y1, ...,
            (2K, H, W).
        radius (float): Disk radius R in heatmap pixels.
        keypoints (np.ndarray): The decoded keypoints in input pixels, (K, 2).
        ground_truth (np.ndarray, optional): x, y in input pixels and visibility of
            the true keypoints, (K, 3).
        zoom (Sequence[int]): The keypoints to draw enlarged.
        names (Sequence[str], optional): The keypoints' names, (K,).

    Returns:
        Figure: to be saved.
    """
    height, width = crop.shape[:2]
    num_keypoints = len(heatmaps)
    stride = np.array([width, height]) / heatmaps.shape[:0:-1]
    offsets = offsets.reshape(num_keypoints, 2, *heatmaps.shape[1:])
    panels = 1 + len(zoom)
    figure = Figure(figsize=(3.4 * panels, 4), layout='constrained')
    overview, *details = figure.subplots(1, panels, squeeze=False)[0]

    draw_heatmaps(overview, crop, heatmaps)
    overview.plot(*keypoints.T, 'o', color='tab:cyan', markersize=4)
    overview.set_title('heatmaps and keypoints', fontsize='small')
    for axes, k in zip(details, zoom, strict=True):
        draw_heatmaps(axes, crop, heatmaps[k : k + 1])
        draw_disk(axes, heatmaps[k], offsets[k], radius, stride)
        axes.plot(*keypoints[k], 'o', color='tab:cyan', markersize=9, mec='black')
        center = keypoints[k]
        if ground_truth is not None and ground_truth[k, 2] > 0:
            axes.plot(*ground_truth[k, :2], 'P', color='white', mec='black', ms=9)
            center = (center + ground_truth[k, :2]) / 2
        reach = (radius + 1.5) * stride.max()
        axes.set(
            xlim=(center[0] - reach, center[0] + reach),
            ylim=(center[1] + reach, center[1] - reach),
        )
        draw_pixel_borders(axes, heatmaps.shape[1:], stride)
        name = names[k] if names is not None else f'{k}'
        axes.set_title(name, fontsize='small')
        corner, side = center - reach, 2 * reach
        overview.add_patch(Rectangle(corner, side, side, fill=False, ec='white'))
        overview.text(*corner, f' {name}', color='white', va='top', fontsize='x-small')
    overview.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    return figure


def draw_pixel_borders(axes: Axes, shape: tuple, stride: np.ndarray) -> None:
    """Draw the borders of the heatmaps' pixels.

    Args:
        axes (Axes): Where to draw, in input pixels.
        shape (tuple): (H, W) of the heatmaps.
        stride (np.ndarray): Input pixels per heatmap pixel, x and y, (2,).
    """
    height, width = shape
    style = dict(colors='white', linewidth=0.4, alpha=0.5)
    x, y = (
        np.arange(width + 1) * stride[0] - 0.5,
        np.arange(height + 1) * stride[1] - 0.5,
    )
    axes.vlines(x, y[0], y[-1], **style)
    axes.hlines(y, x[0], x[-1], **style)
