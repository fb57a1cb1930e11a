import numpy as np

from ogn_mm.visualization import draw_pose_grid

SKELETON = [(0, 1), (1, 2)]


def lines_of(axes):
    """Coordinates of the lines by colour."""
    lines = {}
    for line in axes.lines:
        points = np.transpose(line.get_data()).tolist()
        lines.setdefault(line.get_color(), []).append(points)
    return lines


def test_predictions_and_ground_truth_are_drawn_where_they_are():
    image = np.zeros((30, 40, 3), np.uint8)
    predicted = np.array([[[1, 2, 0.9], [5, 6, 0.5], [9, 9, 0.1]]])
    true = np.array(
        [[[1, 3, 2], [5, 7, 1], [9, 8, 2]], [[20, 20, 2], [0, 0, 0]] + [[25, 20, 2]]]
    )
    figure = draw_pose_grid(
        [image] * 3,
        [predicted, predicted[:0], np.repeat(predicted, 2, axis=0)],
        [true[:1], true, true[1:]],
        SKELETON,
        colors=['red', 'blue'],
        titles=['a', 'b', 'c'],
        columns=2,
    )
    first, second, third, rest = figure.axes
    # the third keypoint scores too little, and so its limb is left out
    assert lines_of(first) == {
        'red': [[[1, 2], [5, 6]]],
        'white': [[[1, 3], [5, 7]], [[5, 7], [9, 8]]],
    }
    dots = [item.get_offsets().tolist() for item in first.collections]
    assert dots == [[[1, 2], [5, 6]], [[1, 3], [5, 7], [9, 8]]]
    # a keypoint without label has no limbs
    assert lines_of(second) == {'white': [[[1, 3], [5, 7]], [[5, 7], [9, 8]]]}
    assert lines_of(third) == {'red': [[[1, 2], [5, 6]]] * 2}
    assert not rest.lines
    assert first.get_title() == 'a'
    for axes in (first, second, third):
        assert axes.get_xlim() == (-0.5, 39.5)
        assert axes.get_ylim() == (29.5, -0.5)


def test_figures_can_be_saved(tmp_path):
    image = np.full((10, 10, 3), 200, np.uint8)
    pose = np.array([[[1, 2, 1.0], [5, 6, 1.0], [9, 9, 1.0]]])
    draw_pose_grid([image], [pose], [pose], SKELETON).savefig(tmp_path / 'a.png')
    assert (tmp_path / 'a.png').stat().st_size > 1000
