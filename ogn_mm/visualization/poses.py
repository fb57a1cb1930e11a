"""Poses drawn on images."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import Normal, Stroke

OUTLINE = [Stroke(linewidth=1.8, foreground='black'), Normal()]


def draw_pose(
    axes: Axes,
    pose: np.ndarray,
    skeleton: Sequence[tuple[int, int]],
    colors: Sequence | str,
    dots: str,
    min_score: float = 0.2,
    **style,
) -> None:
    """Draw one person's limbs and keypoints.

    Args:
        axes (Axes): Where to draw, in pixels.
        pose (np.ndarray): x, y and score or visibility of each keypoint, (K, 3).
        skeleton (Sequence[tuple[int, int]]): The two keypoints of each limb, (L, 2).
        colors (Sequence | str): A colour for each limb, or one for all.
        dots (str): Colour of the keypoints.
        min_score (float): A keypoint that scores less is not drawn, nor are its
            limbs. Defaults to 0.2.
        **style: Further arguments of ``Axes.plot`` for the limbs.
    """
    found = pose[:, 2] >= min_score
    if isinstance(colors, str):
        colors = [colors] * len(skeleton)
    for limb, color in zip(skeleton, colors, strict=True):
        limb = list(limb)
        if found[limb].all():
            axes.plot(*pose[limb, :2].T, color=color, solid_capstyle='round', **style)
    axes.scatter(*pose[found, :2].T, s=5, color=dots, zorder=3)


def draw_pose_grid(
    images: Sequence[np.ndarray],
    predictions: Sequence[np.ndarray],
    ground_truths: Sequence[np.ndarray],
    skeleton: Sequence[tuple[int, int]],
    colors: Sequence | str = 'tab:orange',
    titles: Sequence[str] | None = None,
    columns: int = 4,
    min_score: float = 0.2,
) -> Figure:
    """Draw predicted poses beside the true ones, image by image.

    Predictions are thick and coloured, the ground truth is thin and white.

    Args:
        images (Sequence[np.ndarray]): RGB, uint8, each (H, W, 3).
        predictions (Sequence[np.ndarray]): For each image x, y in its pixels and the
            score of the predicted keypoints, (N, K, 3).
        ground_truths (Sequence[np.ndarray]): The same of the annotated people, with
            the visibility, of which 0 means not labelled, as score.
        skeleton (Sequence[tuple[int, int]]): The two keypoints of each limb, (L, 2).
        colors (Sequence | str): A colour for each limb, (L, 3) in [0, 1], or a name.
        titles (Sequence[str], optional): Written above the images.
        columns (int): Images in a row. Defaults to 4.
        min_score (float): Predicted keypoints below are left out. Defaults to 0.2.

    Returns:
        Figure: to be saved.
    """
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    figure = Figure(figsize=(3 * columns, 3.6 * rows), layout='constrained')
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    for i, (axes, image) in enumerate(zip(grid, images, strict=False)):
        axes.imshow(image)
        for pose in predictions[i]:
            style = dict(linewidth=4, alpha=0.85)
            draw_pose(axes, pose, skeleton, colors, 'black', min_score, **style)
        for pose in ground_truths[i]:
            style = dict(linewidth=1, path_effects=OUTLINE)
            draw_pose(axes, pose, skeleton, 'white', 'white', 1e-6, **style)
        height, width = image.shape[:2]
        axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
        if titles is not None:
            axes.set_title(titles[i], fontsize='small')
    return figure
