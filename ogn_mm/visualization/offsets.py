"""What an offset-guided network predicts, drawn on its input."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

COLUMNS = 6  # pictures in a row


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
    targets: tuple[np.ndarray, np.ndarray] | None = None,
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
        targets (tuple[np.ndarray, np.ndarray], optional): The heatmaps and offsets
            that ``OffsetHeatmap.encode`` makes of the ground truth; they are drawn
            below in the same way.

    Returns:
        Figure: to be saved.
    """
    num_keypoints = len(heatmaps)
    if ground_truth is None:
        ground_truth = np.zeros((num_keypoints, 3))
    if names is None:
        names = [f'{k}' for k in range(num_keypoints)]
    true = np.where(ground_truth[:, 2:] > 0, ground_truth[:, :2], np.nan)
    title = 'heatmaps and keypoints'
    versions = {title: (heatmaps, offsets, keypoints)}
    if targets is not None:
        versions = {f'predicted {title}': versions[title]}
        versions['targets'] = (*targets, true)

    stride = np.array(crop.shape[1::-1]) / heatmaps.shape[:0:-1]
    side = 2 * (radius + 1.5) * stride.max()
    corners = np.nanmean([keypoints, true], axis=0) - side / 2
    columns = min(1 + len(zoom), COLUMNS)
    rows = -(-(1 + len(zoom)) // columns) * len(versions)
    figure = Figure(figsize=(3.4 * columns, 4 * rows), layout='constrained')
    grid = figure.subplots(rows, columns, squeeze=False)
    for part, (title, (maps, fields, dots)) in zip(
        np.split(grid, len(versions)), versions.items(), strict=True
    ):
        overview, *details = part.ravel()
        fields = fields.reshape(num_keypoints, 2, *maps.shape[1:])
        draw_heatmaps(overview, crop, maps)
        overview.plot(*dots.T, 'o', color='tab:cyan', markersize=4)
        overview.set_title(title, fontsize='small')
        for axes, k in zip(details, zoom, strict=False):
            draw_heatmaps(axes, crop, maps[k : k + 1])
            draw_disk(axes, maps[k], fields[k], radius, stride)
            draw_pixel_borders(axes, maps.shape[1:], stride)
            axes.plot(*dots[k], 'o', color='tab:cyan', markersize=9, mec='black')
            if ground_truth[k, 2] > 0:
                axes.plot(*true[k], 'P', color='white', mec='black', ms=9)
            show_square(axes, corners[k], side)
            axes.set_title(names[k], fontsize='small')
            if len(zoom) < COLUMNS:  # more would hide what is below
                frame_square(overview, corners[k], side, names[k])
        for axes in details[len(zoom) :]:
            axes.remove()
        overview.set(xlim=(-0.5, crop.shape[1] - 0.5), ylim=(crop.shape[0] - 0.5, -0.5))
    return figure


def show_square(axes: Axes, corner: np.ndarray, side: float) -> None:
    """Let axes show a square alone, whose upper left corner is x, y, (2,)."""
    axes.set(xlim=(corner[0], corner[0] + side), ylim=(corner[1] + side, corner[1]))


def frame_square(axes: Axes, corner: np.ndarray, side: float, name: str) -> None:
    """Frame a square and write its name into it.

    Args:
        axes (Axes): Where to draw.
        corner (np.ndarray): The upper left one, x and y, (2,).
        side (float): In the same unit.
        name (str): The name.
    """
    axes.add_patch(Rectangle(corner, side, side, fill=False, ec='white'))
    place = corner.clip(min=0)  # also where the square begins outside
    axes.text(*place, f' {name}', color='white', va='top', fontsize='x-small')


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
