import numpy as np
from matplotlib.figure import Figure

from ogn_mm.visualization import draw_curves, draw_scores


def test_curves_show_runs_and_their_mean():
    axes = Figure().subplots()
    draw_curves(
        axes,
        {
            'two runs': [[(1, 0.0), (2, 4.0)], [(2, 6.0), (1, 1.0), (3, 9.0)]],
            'one run': [[(1, 5.0)]],
            'no log': [[]],
        },
    )
    drawn = [np.transpose(line.get_data()).tolist() for line in axes.lines]
    assert drawn == [
        [[1, 0], [2, 4]],
        [[1, 1], [2, 6], [3, 9]],
        [[1, 0.5], [2, 5]],
        [[1, 5]],
    ]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        'two runs',
        'one run',
    ]
    colors = {line.get_color() for line in axes.lines}
    assert len(colors) == 2
    assert axes.lines[3].get_marker() == 'o'  # a single point is seen


def test_scores_show_runs_and_their_mean():
    axes = Figure().subplots()
    draw_scores(axes, {'a': [10.0, 20.0], 'b': [30.0]})
    assert [bar.get_width() for bar in axes.patches] == [15, 30]
    assert [list(line.get_xdata()) for line in axes.lines] == [[10, 20], [30]]
    assert [label.get_text() for label in axes.get_yticklabels()] == ['a', 'b']
    assert axes.yaxis_inverted()  # the first on top


def test_scores_of_a_paper_stand_beside():
    axes = Figure().subplots()
    draw_scores(axes, {'a': [10.0], 'b': [30.0], 'c': [5.0]}, {'b': 31.5, 'c': 4.0})
    assert [list(xy) for xy in axes.lines[0].get_xydata()] == [[31.5, 1], [4, 2]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "the paper's"
    ]
    means = {text.get_text().strip(): text.get_position()[0] for text in axes.texts}
    assert means == {'10.0': 10, '30.0': 31.5, '5.0': 5}  # beside all that is drawn


def test_many_models_stay_distinct():
    axes = Figure().subplots()
    draw_curves(axes, {str(i): [[(0, i), (1, i)]] for i in range(20)})
    styles = {(line.get_color(), line.get_linestyle()) for line in axes.lines}
    assert len(styles) == 20
