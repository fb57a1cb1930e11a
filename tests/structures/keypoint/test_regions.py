import numpy as np

from ogn_mm.structures.keypoint import inside_regions

L_SHAPE = np.array([(0, 0), (10, 0), (10, 4), (4, 4), (4, 10), (0, 10)], float)


def test_strictly_inside_any_region():
    square = np.array([(20, 20), (30, 20), (30, 30), (20, 30)], float)
    points = np.array(
        [
            [(2, 2), (9, 3), (2, 9), (9, 9)],  # the corner of the L is cut out
            [(4, 2), (0, 5), (10, 4), (25, 25)],  # on the border twice
        ],
        float,
    )
    inside = inside_regions(points, [L_SHAPE, np.zeros((0, 2)), square])
    np.testing.assert_array_equal(
        inside, [[True, True, True, False], [True, False, False, True]]
    )


def test_against_a_ray_cast_by_hand():
    """Even-odd rule on random points, none of which is on the border."""
    points = np.random.default_rng(0).uniform(-2, 12, (200, 2))
    expected = []
    for x, y in points:
        crossings = 0
        for (ax, ay), (bx, by) in zip(L_SHAPE, np.roll(L_SHAPE, -1, 0), strict=True):
            if (ay > y) != (by > y):
                crossings += x < ax + (y - ay) * (bx - ax) / (by - ay)
        expected.append(crossings % 2 == 1)
    np.testing.assert_array_equal(inside_regions(points, [L_SHAPE]), expected)


def test_no_regions():
    assert inside_regions(np.zeros((3, 2)), []).tolist() == [False] * 3
    assert inside_regions(np.zeros(2), [L_SHAPE]).shape == ()
