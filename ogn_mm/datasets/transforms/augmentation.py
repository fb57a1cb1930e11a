"""The paper's random flip, scale and rotation, at a fraction of MMPose's time."""

import math

import cv2
import numpy as np
from mmcv.transforms.utils import cache_randomness
from mmpose.datasets.transforms import RandomBBoxTransform, RandomFlip
from mmpose.registry import TRANSFORMS

CV2_FLIP_CODES = dict(horizontal=1, vertical=0, diagonal=-1)


@TRANSFORMS.register_module()
class ContiguousRandomFlip(RandomFlip):
    """MMPose's `RandomFlip` with a contiguous image as its result.

    `RandomFlip` makes the image a view with a negative stride, from which OpenCV
    takes six times as long to warp. Arguments, values and random draws are the
    same. Arrays that come in are not written to.
    """

    # `cache_randomness` would otherwise list the method in MMPose's class again
    _methods_with_randomness = []

    @cache_randomness
    def _choose_direction(self) -> str | None:
        if isinstance(self.prob, list) or isinstance(self.direction, list):
            return super()._choose_direction()
        # what `np.random.choice` does with these probabilities, in 1/20 of its time
        flip = np.random.random_sample() < self.prob  # noqa: NPY002
        return self.direction if flip else None

    def transform(self, results: dict) -> dict:
        img = results['img']
        results = super().transform(results)
        if results['flip']:
            code = CV2_FLIP_CODES[results['flip_direction']]
            if isinstance(img, list):
                results['img'] = [flip_image(frame, code) for frame in img]
            else:
                results['img'] = flip_image(img, code)
        return results


def flip_image(img: np.ndarray, code: int) -> np.ndarray:
    """Flip an image (H, W) or (H, W, C) by `cv2.flip`, which drops a C of 1."""
    return cv2.flip(img, code).reshape(img.shape)


@TRANSFORMS.register_module()
class RandomBBoxScaleRotate(RandomBBoxTransform):
    """Scale and rotate boxes at random, about their centres (section 4.1).

    The paper scales the image by 0.9 to 1.2 and rotates it within +-30 degrees,
    without a shift; it names neither distributions nor probabilities. Here both
    are uniform, every person is scaled, and 60 % are rotated as in the published
    recipe of MSRA's SimpleBaseline. The box is divided by the image's scale, so a
    person looks 0.9 to 1.2 times as large in the crop.

    Numbers come from numpy's global generator, four for each box whatever the
    probabilities are.

    Required Keys:

        - bbox_center
        - bbox_scale

    Modified Keys:

        - bbox_scale

    Added Keys:

        - bbox_rotation

    Args:
        image_scale (tuple[float, float]): Lowest and highest scale of the image.
            Defaults to (0.9, 1.2).
        scale_prob (float): Probability that a box is scaled. Defaults to 1.0.
        rotate_factor (float): Largest angle either way, in degrees. Defaults to
            30.0.
        rotate_prob (float): Probability that a box is rotated. Defaults to 0.6.

    Raises:
        ValueError: If an argument is out of its range.
    """

    _methods_with_randomness = []  # as above

    def __init__(
        self,
        image_scale: tuple[float, float] = (0.9, 1.2),
        scale_prob: float = 1.0,
        rotate_factor: float = 30.0,
        rotate_prob: float = 0.6,
    ) -> None:
        name = type(self).__name__
        if np.shape(image_scale) != (2,) or not (
            0 < image_scale[0] <= image_scale[1] < math.inf
        ):
            raise ValueError(
                f'{name}: image_scale must be (lowest, highest) with '
                f'0 < lowest <= highest, got {image_scale}'
            )
        if not 0 <= rotate_factor <= 180:
            raise ValueError(
                f'{name}: rotate_factor must be 0 to 180 degrees, got {rotate_factor}'
            )
        for key, prob in (('scale_prob', scale_prob), ('rotate_prob', rotate_prob)):
            if not 0 <= prob <= 1:
                raise ValueError(f'{name}: {key} must be 0 to 1, got {prob}')
        super().__init__(
            shift_factor=0.0,
            shift_prob=0.0,
            scale_factor=(1 / image_scale[1], 1 / image_scale[0]),
            scale_prob=scale_prob,
            rotate_factor=rotate_factor,
            rotate_prob=rotate_prob,
        )
        self.image_scale = tuple(image_scale)

    @cache_randomness
    def _get_transform_params(
        self, num_bboxes: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Draw the boxes' shift (N, 2), which is 0, scale (N, 1), rotation (N,)."""
        draws = np.random.random_sample((4, num_bboxes))  # noqa: NPY002
        lowest, highest = self.image_scale
        scale = 1 / (lowest + (highest - lowest) * draws[0])
        scale = np.where(draws[1] < self.scale_prob, scale, 1.0)
        rotation = self.rotate_factor * (2 * draws[2] - 1)
        rotation = np.where(draws[3] < self.rotate_prob, rotation, 0.0)
        shift = np.zeros((num_bboxes, 2), np.float32)
        return shift, scale[:, None].astype(np.float32), rotation.astype(np.float32)

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(image_scale={self.image_scale}, '
            f'scale_prob={self.scale_prob}, rotate_factor={self.rotate_factor}, '
            f'rotate_prob={self.rotate_prob})'
        )
