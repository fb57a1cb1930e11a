"""Drawn identities: colours that last and differ, what is drawn and what is not."""

import numpy as np
import pytest

from ogn_mm.visualization import draw_tracks, track_color

BOX = np.array([[20.0, 30, 60, 90]])
POSE = np.array([[[30.0, 40, 0.9], [50, 80, 0.9], [45, 60, 0.1]]])
SKELETON = [(0, 1), (1, 2)]


@pytest.fixture
def image():
    return np.full((120, 160, 3), 40, np.uint8)


def test_colours_differ():
    colors = np.array([track_color(i) for i in range(12)])
    distances = np.abs(colors[:, None] - colors).sum(axis=-1)
    assert distances[~np.eye(12, dtype=bool)].min() > 40
    assert track_color(7) == track_color(7)


def test_a_person_has_one_colour(image):
    before = image.copy()
    drawn = draw_tracks(image, BOX, POSE, [5], SKELETON)
    np.testing.assert_array_equal(image, before)
    color = track_color(5)
    for x, y in ((20, 60), (30, 40), (40, 60), (60, 90)):
        assert tuple(drawn[y, x]) == color
    # the third keypoint scores too little
    assert (drawn[60, 45] == 40).all()
    assert (drawn[:, 80:] == 40).all()


def test_people_at_the_border_and_nobody(image):
    outside = draw_tracks(image, BOX - 200, POSE - (200, 200, 0), [123456], SKELETON)
    assert outside.shape == image.shape
    # the label stays in sight
    assert (outside != image).any()
    nobody = draw_tracks(image, BOX[:0], POSE[:0], [], SKELETON)
    np.testing.assert_array_equal(nobody, image)


def test_labels_are_legible(image):
    """Dark on bright colours, white on dark ones; larger in larger images."""
    for track_id in range(12):
        grey = np.array(track_color(track_id)) @ (0.114, 0.587, 0.299)
        patch = draw_tracks(image, BOX, POSE, [track_id], SKELETON)[18:30, 21:30]
        ink = patch @ (0.114, 0.587, 0.299)
        assert np.abs(ink - grey).max() > 100
    large = np.full((1080, 1920, 3), 40, np.uint8)
    drawn = draw_tracks(large, BOX, POSE[:, :0], [0], [])
    assert (drawn[8:28, 25] != 40).any() and (image[10, 25] == 40).all()
