"""Boxes that take their people's keypoints along."""

import cv2
import numpy as np
import torch
from mmdet.structures.bbox import (
    HorizontalBoxes,
    register_box,
    register_box_converter,
)
from torch import Tensor

from .roi_maps import rescale_keypoints


@register_box('keypoint')
class KeypointBoxes(HorizontalBoxes):
    """MMDetection's boxes with the keypoints of the people in them.

    MMDetection's transforms move, clip, select and drop boxes by the methods of the
    box type. Here these methods treat keypoints in the same way, so that Resize,
    RandomFlip, RandomCrop, MinIoURandomCrop, Expand, RandomAffine and
    FilterAnnotations serve as they are.

    Pixel centres are integers for keypoints, while the image's edge is 0 for boxes
    (see :meth:`rescale_`). Clipping boxes hides the keypoints that are outside, for
    good; it does not move them. So `bbox_clip_border` and `clip_object_border` have
    to keep their default of True.

    Args:
        data (Tensor | np.ndarray | Sequence): Boxes as x1, y1, x2, y2 in pixels,
            (N, 4).
        keypoints (Tensor): x, y in pixels, (N, K, 2).
        visible (Tensor): 1 for a keypoint that is labelled and inside the image, else
            0, (N, K).
        flip_indices (Sequence[int]): For each keypoint the one that it becomes in a
            mirror, such as the left wrist for the right one, (K,).
        **kwargs: As for `HorizontalBoxes`.

    Raises:
        ValueError: There are no keypoints. MMDetection calls with boxes alone where it
            joins those of several images: Mosaic, MixUp and CopyPaste cannot be used.
    """

    def __init__(
        self,
        data,
        keypoints: Tensor | None = None,
        visible: Tensor | None = None,
        flip_indices=(),
        **kwargs,
    ):
        if keypoints is None or visible is None:
            raise ValueError(
                'KeypointBoxes need keypoints, and a transform made boxes without; '
                'those that join images, such as Mosaic, cannot be used'
            )
        super().__init__(data, **kwargs)
        self.keypoints = keypoints
        self.visible = visible
        self.flip_indices = list(flip_indices)

    def __getitem__(self, index) -> 'KeypointBoxes':
        boxes = HorizontalBoxes(self.tensor, clone=False)[index].tensor
        if isinstance(index, np.ndarray):
            index = torch.as_tensor(index)
        size = len(boxes), len(self.flip_indices)
        return KeypointBoxes(
            boxes,
            self.keypoints[index].reshape(*size, 2),
            self.visible[index].reshape(size),
            self.flip_indices,
            clone=False,
        )

    def clone(self) -> 'KeypointBoxes':
        """A copy that shares nothing."""
        return KeypointBoxes(
            self.tensor, self.keypoints.clone(), self.visible.clone(), self.flip_indices
        )

    def __deepcopy__(self, memo) -> 'KeypointBoxes':
        return self.clone()

    def flip_(self, img_shape, direction: str = 'horizontal') -> None:
        """Flip; a mirror swaps left and right, two of them ('diagonal') do not."""
        super().flip_(img_shape, direction)
        height, width = img_shape
        x, y = self.keypoints.unbind(-1)
        if direction != 'vertical':
            x = width - 1 - x
        if direction != 'horizontal':
            y = height - 1 - y
        self.keypoints = torch.stack([x, y], -1)
        if direction != 'diagonal':
            self.keypoints = self.keypoints[:, self.flip_indices]
            self.visible = self.visible[:, self.flip_indices]

    def translate_(self, distances) -> None:
        """Shift by x and y, pixels."""
        super().translate_(distances)
        self.keypoints = self.keypoints + self.keypoints.new_tensor(distances)

    def rescale_(self, scale_factor) -> None:
        """Scale with the image: a pixel's centre x goes to (x + 0.5) f - 0.5."""
        super().rescale_(scale_factor)
        factor = self.keypoints.new_tensor(scale_factor)
        self.keypoints = rescale_keypoints(self.keypoints, factor)

    def rotate_(self, center, angle: float) -> None:
        """Rotate clockwise by degrees about a pixel's centre, as OpenCV does."""
        super().rotate_(center, angle)
        turn = cv2.getRotationMatrix2D(center, -angle, 1)
        self._project_keypoints(np.vstack([turn, [0, 0, 1]]))

    def project_(self, homography_matrix) -> None:
        """Apply OpenCV's perspective transform, (3, 3), of pixel centres."""
        super().project_(homography_matrix)
        self._project_keypoints(homography_matrix)

    def _project_keypoints(self, matrix) -> None:
        matrix = torch.as_tensor(matrix, dtype=self.keypoints.dtype)
        moved = self.keypoints @ matrix[:, :2].T + matrix[:, 2]
        self.keypoints = moved[..., :2] / moved[..., 2:]

    def clip_(self, img_shape) -> None:
        """Clip boxes to the image and hide keypoints that are outside."""
        super().clip_(img_shape)
        self.visible = self.visible * inside_image(self.keypoints, img_shape)


def inside_image(keypoints: Tensor, img_shape) -> Tensor:
    """Which points lie in the image: -0.5 to its size - 0.5, as pixels have a width.

    Args:
        keypoints (Tensor): x, y in pixels, (..., 2).
        img_shape (tuple[int, int]): Height and width of the image.

    Returns:
        Tensor: Booleans, (...).
    """
    size = keypoints.new_tensor(img_shape).flip(0)
    return ((keypoints >= -0.5) & (keypoints <= size - 0.5)).all(-1)


@register_box_converter('keypoint', 'hbox')
def drop_keypoints(boxes: Tensor) -> Tensor:
    """The boxes alone, which are the same."""
    return boxes
