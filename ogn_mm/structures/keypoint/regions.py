"""Polygons of an image, such as PoseTrack's ignore regions."""

import numpy as np
import shapely


def inside_regions(points: np.ndarray, regions) -> np.ndarray:
    """Which points lie in one of the regions, as PoseTrack's evaluator sees it.

    A polygon is closed without being told, and its border does not belong to it.

    Args:
        points (np.ndarray): x, y in pixels, (..., 2).
        regions (Sequence[np.ndarray]): x, y of the corners of each polygon, (V, 2), V
            at least 3, not crossing itself; those without corners have no effect.

    Returns:
        np.ndarray: Booleans, (...).
    """
    inside = np.zeros(points.shape[:-1], bool)
    for region in regions:
        if len(region):
            polygon = shapely.Polygon(region)
            shapely.prepare(polygon)
            inside |= shapely.contains_xy(polygon, points[..., 0], points[..., 1])
    return inside
