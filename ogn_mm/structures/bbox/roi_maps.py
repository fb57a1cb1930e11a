"""Where a keypoint of the image lies on the map of a ROI, and back (section 3.2).

Pixel centres are integers, in the image and on the map. The edges of a ROI are
continuous coordinates, in which pixel x has its centre at x + 0.5. A map of W pixels
divides the ROI's width w evenly, as `RoIAlign(aligned=True)` does: its pixel j has
its centre at x1 + (j + 0.5) * w / W. What lies on the map's outer edges lies at -0.5
and W - 0.5.
"""

from torch import Tensor

# Pixels; a ROI without area counts as that wide, so that nothing is divided by 0.
MIN_SIZE = 1e-6


def image_to_roi_map(
    keypoints: Tensor, rois: Tensor, map_size: tuple[int, int]
) -> Tensor:
    """Turn image coordinates into coordinates on the ROIs' maps.

    Args:
        keypoints (Tensor): In image pixels, (R, K, 2).
        rois (Tensor): x1, y1, x2, y2, (R, 4).
        map_size (tuple[int, int]): (W, H).

    Returns:
        Tensor: In map pixels, (R, K, 2).
    """
    low, size = rois[:, None, :2], roi_sizes(rois)[:, None]
    return (keypoints + 0.5 - low) / size * size.new_tensor(map_size) - 0.5


def roi_map_to_image(points: Tensor, rois: Tensor, map_size: tuple[int, int]) -> Tensor:
    """Turn coordinates on the ROIs' maps into image coordinates.

    Args:
        points (Tensor): In map pixels, (R, K, 2).
        rois (Tensor): x1, y1, x2, y2, (R, 4).
        map_size (tuple[int, int]): (W, H).

    Returns:
        Tensor: In image pixels, (R, K, 2).
    """
    low, size = rois[:, None, :2], roi_sizes(rois)[:, None]
    return (points + 0.5) / size.new_tensor(map_size) * size + low - 0.5


def roi_sizes(rois: Tensor) -> Tensor:
    """Widths and heights of ROIs, (R, 2), at least ``MIN_SIZE``."""
    return (rois[:, 2:] - rois[:, :2]).clamp(min=MIN_SIZE)


def has_area(rois: Tensor) -> Tensor:
    """Which ROIs have a width and a height, bool, (R,)."""
    return (rois[:, 2:] - rois[:, :2] > MIN_SIZE).all(dim=1)


def rescale_keypoints(keypoints: Tensor, factor: Tensor) -> Tensor:
    """Move keypoints along with an image that is resized.

    Args:
        keypoints (Tensor): In pixels of the image, (..., 2).
        factor (Tensor): New width and height over the old ones, (..., 2).

    Returns:
        Tensor: In pixels of the resized image, (..., 2).
    """
    return (keypoints + 0.5) * factor - 0.5
