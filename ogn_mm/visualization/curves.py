"""Curves and results of several models, each in a colour of its own."""

import numpy as np
from matplotlib.axes import Axes

# Okabe and Ito's colours, told apart by the colour-blind; black last.
COLORS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000')
LINES = ('-', '--', ':', '-.')


def style(index: int) -> dict:
    """Colour and line of the model with this index."""
    repeats, color = divmod(index, len(COLORS))
    return dict(color=COLORS[color], linestyle=LINES[repeats % len(LINES)])


def draw_curves(axes: Axes, curves: dict[str, list]) -> None:
    """Draw the curves of several models: their runs thin, the mean of these thick.

    Args:
        axes (Axes): Where to draw.
        curves (dict[str, list]): For each model a list of runs, each of them a list
            of points (x, y). The mean is drawn where all runs have a point.
    """
    for index, (name, runs) in enumerate(curves.items()):
        runs = [dict(run) for run in runs if run]
        if not runs:
            continue
        if len(runs) > 1:
            for run in runs:
                axes.plot(
                    *zip(*sorted(run.items()), strict=True),
                    **style(index),
                    linewidth=0.8,
                    alpha=0.4,
                )
        shared = sorted(set.intersection(*map(set, runs)))
        mean = [np.mean([run[x] for run in runs]) for x in shared]
        axes.plot(
            shared,
            mean,
            **style(index),
            linewidth=2,
            label=name,
            marker='o' if len(shared) == 1 else None,
        )
    axes.grid(alpha=0.3)
    axes.spines[['top', 'right']].set_visible(False)
    if len(curves) > 5:  # more would cover the curves
        below = dict(loc='upper center', bbox_to_anchor=(0.5, -0.12), ncols=2)
        axes.legend(frameon=False, fontsize='small', **below)
    elif axes.lines:
        axes.legend(frameon=False, fontsize='small')


def draw_scores(
    axes: Axes,
    scores: dict[str, list[float]],
    references: dict[str, float] | None = None,
) -> None:
    """Draw the results of several models: every run a dot, their mean a bar.

    Args:
        axes (Axes): Where to draw; models go from top to bottom.
        scores (dict[str, list[float]]): For each model the results of its runs.
        references (dict[str, float], optional): For some models what others report;
            drawn as a hollow diamond, named by the axes' legend as the paper's.
    """
    references = references or {}
    places = [
        (references[name], i) for i, name in enumerate(scores) if name in references
    ]
    if places:
        label = "the paper's"
        above = dict(fillstyle='none', zorder=3)
        axes.plot(*zip(*places, strict=True), 'kD', **above, label=label)
        outside = dict(loc='lower right', bbox_to_anchor=(1, 1))
        axes.legend(**outside, fontsize='small', frameon=False)
    for index, (name, values) in enumerate(scores.items()):
        color = style(index)['color']
        mean = np.mean(values)
        axes.barh(index, mean, height=0.6, color=color, alpha=0.25)
        axes.plot(values, [index] * len(values), 'o', color=color, markersize=6)
        axes.text(
            max([*values, references.get(name, -np.inf)]),
            index,
            f'   {mean:.1f}',
            va='center',
            fontsize='small',
        )
    axes.set_yticks(range(len(scores)), list(scores))
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.grid(axis='x', alpha=0.3)
    axes.spines[['top', 'right']].set_visible(False)
