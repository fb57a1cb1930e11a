"""Poses drawn on images."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import Normal, Stroke

from ogn_mm.structures.bbox import extend_to_ratio

OUTLINE = [Stroke(linewidth=1.8, foreground='black'), Normal()]
RATIO, PADDING = 3 / 4, 1.25  # of pictures of one person


def cut_around(image: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A picture of one person, 3:4 unless the image ends there.

    Args:
        image (np.ndarray): (H, W, 3).
        box (np.ndarray): x1, y1, x2, y2 in pixels, (4,).

    Returns:
        tuple[np.ndarray, np.ndarray]: The part of the image, of at least one pixel,
        and the place of its upper left pixel in the image, x and y, int, (2,).
    """
    start, end = np.reshape(extend_to_ratio(box, RATIO, PADDING), (2, 2))
    size = np.array(image.shape[1::-1])
    start = np.clip(np.floor(start), 0, size - 1).astype(int)
    end = np.clip(np.ceil(end), start + 1, size).astype(int)
    return image[start[1] : end[1], start[0] : end[0]], start


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


def draw_pose_pair(
    image: np.ndarray,
    ground_truth: np.ndarray,
    prediction: np.ndarray,
    skeleton: Sequence[tuple[int, int]],
    colors: Sequence | str = 'tab:orange',
    width: float = 5.0,
) -> Figure:
    """Draw one person's true pose on the left, the predicted one on the right.

    Args:
        image (np.ndarray): RGB, uint8, (H, W, 3).
        ground_truth (np.ndarray): x, y in its pixels and visibility, (K, 3).
        prediction (np.ndarray): x, y and score, (K, 3). Whatever its scores, all is
            drawn but NaN.
        skeleton (Sequence[tuple[int, int]]): The two keypoints of each limb, (L, 2).
        colors (Sequence | str): A colour for each limb, (L, 3) in [0, 1], or a name.
        width (float): Of the figure, in inches; two pictures of 3:4 fill it. Defaults
            to 5.

    Returns:
        Figure: to be saved.
    """
    rows, columns = image.shape[:2]
    figure = Figure(figsize=(width, width / 2 / RATIO), facecolor='#eef0f2')
    figure.subplots_adjust(0, 0, 1, 1, wspace=0.02)
    found = np.isfinite(prediction).all(axis=1)
    predicted = np.column_stack([prediction[:, :2], found])
    for axes, pose in zip(
        figure.subplots(1, 2), (ground_truth, predicted), strict=True
    ):
        axes.imshow(image)
        draw_pose(axes, pose, skeleton, colors, 'white', 1e-6, linewidth=2.5)
        axes.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
        axes.set_axis_off()
    return figure
