import numpy as np
import pytest

from ogn_mm.visualization import cut_around, draw_pose_grid, draw_pose_pair

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


def test_annotation_is_left_and_prediction_right():
    image = np.zeros((40, 30, 3), np.uint8)
    true = np.array([[1, 3, 2], [5, 7, 1], [0, 0, 0]])
    predicted = np.array([[2, 4, 0.9], [6, 8, 0.01], [7, 9, 0.3]])
    figure = draw_pose_pair(image, true, predicted, SKELETON, ['red', 'blue'])
    left, right = figure.axes
    assert lines_of(left) == {'red': [[[1, 3], [5, 7]]]}
    # whatever its scores
    assert lines_of(right) == {
        'red': [[[2, 4], [6, 8]]],
        'blue': [[[6, 8], [7, 9]]],
    }
    nothing = draw_pose_pair(image, true, np.full((3, 3), np.nan), SKELETON)
    assert not nothing.axes[1].lines
    for axes in figure.axes:
        assert axes.get_xlim() == (-0.5, 29.5) and axes.get_ylim() == (39.5, -0.5)


@pytest.mark.parametrize(
    ('box', 'corner', 'size'),
    [
        ([100.0, 100, 130, 140], [96, 95], (38, 50)),  # 3:4, a quarter more
        ([100.0, 90, 160, 100], [92, 45], (76, 100)),  # a wide box grows in height
        ([0.0, 0, 30, 40], [0, 0], (34, 45)),  # the image ends there
        ([300.0, 300, 310, 310], [199, 149], (1, 1)),  # outside
    ],
)
def test_picture_of_a_person(box, corner, size):
    image = np.arange(150 * 200 * 3).reshape(150, 200, 3)
    part, found = cut_around(image, np.array(box))
    assert found.tolist() == corner
    assert part.shape[1::-1] == size
    assert (part[0, 0] == image[corner[1], corner[0]]).all()
