import math

import numpy as np
import torch
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.registry import KEYPOINT_CODECS
from torch import Tensor

from .utils import fuse_heatmaps_and_offsets, generate_disk_targets

# Below this the corner between four pixels would be out of every pixel's reach.
MIN_RADIUS = math.sqrt(0.5)


def default_radius(heatmap_size: tuple[int, int]) -> float:
    """Disk radius in heatmap pixels where none is given, see `OffsetHeatmap`."""
    return max(1.0, math.sqrt(max(heatmap_size) / 16))


@KEYPOINT_CODECS.register_module()
class OffsetHeatmap(BaseKeypointCodec):
    """Disk heatmaps with offsets (section 3.1.2 of the OGN paper).

    A keypoint g is a disk of radius R on its heatmap, and inside the disk the
    offset maps hold (g - x) / R. The decoder takes the heatmap's best pixel
    and adds the offset found there, so that no precision is lost at any
    stride.

    Pixel centres are integers everywhere: with stride s, input coordinate x
    lies at (x + 0.5) / s - 0.5 on the heatmap.

    Args:
        input_size (tuple[int, int]): Size of the network's input, (w, h).
        heatmap_size (tuple[int, int]): Size of the heatmaps, (W, H); must
            divide ``input_size``.
        radius (float, optional): Disk radius R in heatmap pixels, at least
            sqrt(0.5). Defaults to the square root of a 16th of the heatmap's
            longer side, at least 1: at 192x256 input (w x h) 1 at strides 16
            and 32, 1.41 at stride 8, 2 at stride 4. A finer map makes a person
            larger, in pixels of the map, and a larger disk was the better one
            there (see configs/ogn_topdown/README.md). The disk also reaches
            keypoints just outside the crop.
        sigma (float, optional): Standard deviation of the Gaussian that
            smooths the heatmaps before the maximum is taken, in heatmap
            pixels. 0 smooths nothing. Defaults to ``radius / 2``.
        kernel_size (int, optional): Taps of that Gaussian per axis, odd.
            Defaults to what covers two standard deviations on either side.
        vote_radius (float): Decoding averages the keypoints to which the pixels
            within this distance of the best one point, weighted by the heatmap,
            in heatmap pixels. Defaults to 0: the best pixel alone, as in the
            paper.

    Raises:
        ValueError: If an argument is out of its range or the sizes don't
            divide.
    """

    field_mapping_table = dict(
        heatmaps='heatmaps', offsets='offsets', offset_weights='offset_weights'
    )
    label_mapping_table = dict(keypoint_weights='keypoint_weights')

    def __init__(
        self,
        input_size: tuple[int, int],
        heatmap_size: tuple[int, int],
        radius: float | None = None,
        sigma: float | None = None,
        kernel_size: int | None = None,
        vote_radius: float = 0,
    ) -> None:
        super().__init__()
        for size, of_heatmap in zip(input_size, heatmap_size, strict=True):
            if of_heatmap <= 0 or size <= 0 or size % of_heatmap:
                raise ValueError(
                    f'OffsetHeatmap: heatmap_size {tuple(heatmap_size)} must '
                    f'divide input_size {tuple(input_size)}'
                )
        if radius is None:
            radius = default_radius(heatmap_size)
        if not MIN_RADIUS <= radius < math.inf:
            raise ValueError(
                'OffsetHeatmap: radius must be a number of heatmap pixels of at '
                f'least sqrt(0.5), so that every disk has a pixel, got {radius}'
            )
        self.input_size = tuple(input_size)
        self.heatmap_size = tuple(heatmap_size)
        self.stride = np.array(input_size) / np.array(heatmap_size)
        self.radius = float(radius)

        sigma = self.radius / 2 if sigma is None else float(sigma)
        if not 0 <= sigma < math.inf:
            raise ValueError(f'OffsetHeatmap: sigma must be >= 0, got {sigma}')
        if kernel_size is None:
            kernel_size = 2 * math.ceil(2 * sigma) + 1
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(
                f'OffsetHeatmap: kernel_size must be odd, got {kernel_size}'
            )
        if not 0 <= vote_radius < math.inf:
            raise ValueError(
                f'OffsetHeatmap: vote_radius must be >= 0, got {vote_radius}'
            )
        self.vote_radius = float(vote_radius)
        self.sigma = sigma
        self.kernel_size = kernel_size if sigma > 0 else 1

    def encode(
        self, keypoints: np.ndarray, keypoints_visible: np.ndarray | None = None
    ) -> dict:
        """Encode keypoints into heatmaps and offset maps (eq. 1 and 2).

        Args:
            keypoints (np.ndarray): (N, K, 2) in input pixels. A keypoint
                outside the input counts as long as a heatmap pixel lies within
                R of it.
            keypoints_visible (np.ndarray, optional): (N, K); keypoints with 0
                are left out. Defaults to all visible.

        Returns:
            dict of float32 arrays:

            - heatmaps (K, H, W): 1 within R of the keypoint, else 0.
            - offsets (2K, H, W): (g - x) / R inside the disks, else 0;
              channels x0, y0, x1, y1, ...
            - offset_weights (K, H, W): 1 where the offset loss counts, else 0.
              That is in the disks, so it is the same array as ``heatmaps``.
            - keypoint_weights (N, K): the visibility, or 0 for a keypoint out
              of reach.

        Raises:
            ValueError: If an array has the wrong shape or holds NaN or
                infinity.
        """
        if keypoints.ndim != 3 or keypoints.shape[-1] != 2:
            raise ValueError(
                'OffsetHeatmap: keypoints must have shape (N, K, 2), '
                f'got {keypoints.shape}'
            )
        if keypoints_visible is None:
            keypoints_visible = np.ones(keypoints.shape[:2], np.float32)
        elif keypoints_visible.shape != keypoints.shape[:2]:
            raise ValueError(
                'OffsetHeatmap: keypoints_visible must have shape '
                f'{keypoints.shape[:2]}, got {keypoints_visible.shape}'
            )
        for name, array in (
            ('keypoints', keypoints),
            ('keypoints_visible', keypoints_visible),
        ):
            if not np.isfinite(array).all():
                raise ValueError(f'OffsetHeatmap: {name} must be finite numbers')

        heatmaps, offsets, drawn = generate_disk_targets(
            (keypoints + 0.5) / self.stride - 0.5,
            keypoints_visible > 0,
            self.heatmap_size,
            self.radius,
        )
        return dict(
            heatmaps=heatmaps,
            offsets=offsets,
            offset_weights=heatmaps,
            keypoint_weights=keypoints_visible.astype(np.float32) * drawn,
        )

    def decode(self, encoded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Decode one person's keypoints (eq. 3 and 4).

        Args:
            encoded (np.ndarray): K heatmaps, then 2K offset maps, (3K, H, W).

        Returns:
            tuple[np.ndarray, np.ndarray]:

            - keypoints (1, K, 2) in input pixels, float32.
            - scores (1, K) in [0, 1], float32.
        """
        keypoints, scores = self.batch_decode(encoded[None])
        return keypoints[0], scores[0]

    def batch_decode(
        self, batch_encoded: Tensor | np.ndarray
    ) -> tuple[Tensor | np.ndarray, Tensor | np.ndarray]:
        """Decode the keypoints of many people at once (eq. 3 and 4).

        Args:
            batch_encoded (Tensor | np.ndarray): K heatmaps, then 2K offset
                maps for each person, (B, 3K, H, W).

        Returns:
            tuple: Tensors on the device of the input, or arrays for an array:

            - keypoints (B, 1, K, 2) in input pixels, float32.
            - scores (B, 1, K) in [0, 1], float32.

        Raises:
            ValueError: If the maps don't have this codec's size or their
                channels aren't three a keypoint.
        """
        width, height = self.heatmap_size
        if batch_encoded.shape[2:] != (height, width) or batch_encoded.shape[1] % 3:
            raise ValueError(
                f'OffsetHeatmap: heatmap_size {self.heatmap_size} asks for maps of '
                f'shape (B, 3K, {height}, {width}), got {tuple(batch_encoded.shape)}'
            )
        if isinstance(batch_encoded, np.ndarray):
            maps = torch.from_numpy(np.ascontiguousarray(batch_encoded))
            keypoints, scores = self.batch_decode(maps)
            return keypoints.numpy(), scores.numpy()

        keypoints, scores = fuse_heatmaps_and_offsets(
            batch_encoded,
            self.radius,
            self.kernel_size,
            self.sigma,
            self.vote_radius,
        )
        stride = torch.as_tensor(self.stride, dtype=torch.float32).to(keypoints)
        keypoints = (keypoints + 0.5) * stride - 0.5
        return keypoints[:, None], scores[:, None]
