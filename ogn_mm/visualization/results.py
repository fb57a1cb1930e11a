"""What a test found: keypoint by keypoint and person by person."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

# From good to bad; told apart by the colour-blind, and in print by their lightness.
SHADES = ('#0072B2', '#56B4E9', '#E69F00', '#BBBBBB')


def draw_shares(axes: Axes, shares: dict[str, np.ndarray], names: Sequence[str]):
    """Draw how often each keypoint is right, nearly right, and so on, as bars.

    Args:
        axes (Axes): Where to draw; keypoints go from top to bottom.
        shares (dict[str, np.ndarray]): In [0, 1], each (K,), from good to bad, by
            what they are shares of; at most four. NaN is not drawn.
        names (Sequence[str]): The keypoints' names, (K,).
    """
    places, start = np.arange(len(names)), np.zeros(len(names))
    for (label, values), color in zip(shares.items(), SHADES, strict=False):
        values = 100 * np.nan_to_num(values)
        axes.barh(places, values, left=start, height=0.75, color=color, label=label)
        start += values
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set(xlim=(0, 100), xlabel='labelled keypoints, %')
    axes.margins(y=0.01)
    axes.spines[['top', 'right', 'left']].set_visible(False)
    axes.tick_params(axis='y', length=0)
    axes.legend(
        loc='lower center',
        bbox_to_anchor=(0.5, 1),
        ncols=len(shares),
        frameon=False,
        fontsize='small',
        columnspacing=1,
        handlelength=1,
    )


def draw_oks_histogram(axes: Axes, oks: np.ndarray, found: np.ndarray) -> None:
    """Draw how many people have which OKS, in steps of 0.05.

    Args:
        axes (Axes): Where to draw.
        oks (np.ndarray): In [0, 1], (G,).
        found (np.ndarray): Whether the person was found at all; those who were not
            stand left of 0, bool, (G,).
    """
    edges = np.linspace(0, 1, 21)
    good, _, _, missed = SHADES
    axes.hist(oks[found], edges, color=good, rwidth=0.92)
    if not found.all():
        axes.bar(-0.1, (~found).sum(), width=0.046, color=missed)
    axes.set_xticks(
        [-0.1, *edges[::4]], ['not\nfound', *map('{:.1f}'.format, edges[::4])]
    )
    axes.set(xlabel='OKS', ylabel='people', xlim=(-0.15, 1.02))
    axes.grid(axis='y', alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[['top', 'right']].set_visible(False)
