import numpy as np
from matplotlib.figure import Figure

from ogn_mm.visualization import draw_oks_histogram, draw_shares


def test_bars_lie_end_to_end():
    shares = {
        'good': np.array([0.5, 0.25, np.nan]),
        'near': np.array([0.5, 0.25, np.nan]),
        'wrong': np.array([0, 0.5, np.nan]),
    }
    axes = Figure().subplots()
    draw_shares(axes, shares, ['nose', 'knee', 'never labelled'])
    spans = [
        [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars]
        for bars in axes.containers
    ]
    assert spans == [
        [(0, 50), (0, 25), (0, 0)],
        [(50, 100), (25, 50), (0, 0)],
        [(100, 100), (50, 100), (0, 0)],
    ]
    top, bottom = axes.get_ylim()[::-1]
    assert top < 0 < 2 < bottom  # the first keypoint is above
    assert [text.get_text() for text in axes.get_legend().texts] == list(shares)


def test_everybody_is_in_the_histogram():
    oks = np.array([0.0, 0.05, 0.12, 0.52, 0.99, 1.0])
    found = np.array([False, False, True, True, True, True])
    axes = Figure().subplots()
    draw_oks_histogram(axes, oks, found)
    steps, (missed,) = axes.containers
    counts = [bar.get_height() for bar in steps]
    assert sum(counts) == 4 and counts[2] == 1 and counts[10] == 1 and counts[19] == 2
    assert missed.get_height() == 2 and missed.get_x() + missed.get_width() < 0

    axes = Figure().subplots()
    draw_oks_histogram(axes, oks[found], found[found])
    assert len(axes.containers) == 1
