import torch
from mmdet.registry import MODELS
from torch import Tensor

from ogn_mm.codecs import OffsetHeatmap
from ogn_mm.codecs.utils import (
    DiskWindows,
    disk_windows,
    draw_windows,
    probability_within,
)
from ogn_mm.structures.bbox import image_to_roi_map

from .one_hot_keypoint_head import OneHotKeypointHead, count_in, spatial_softmax


@MODELS.register_module()
class OffsetKeypointHead(OneHotKeypointHead):
    """Keypoint head of the offset-guided Mask R-CNN (section 3.2 of the OGN paper).

    A score map and an offset map for each keypoint, by two deconvolutions of the same
    features. Targets are the codec's: a disk of radius R around the keypoint on the
    ROI's map, and inside it the offsets (g - x) / R.

    Args:
        num_keypoints (int): K.
        score_loss (str): How score maps are learnt: ``'smooth_l1'``, disks (row c of
            Table 4); ``'softmax'``, as in :class:`OneHotKeypointHead` (rows a and b),
            with the pixel nearest to the keypoint as target, the paper naming none.
            Offsets are learnt by Smooth L1 inside the disks in either case.
        radius (float, optional): R in map pixels, see :class:`OffsetHeatmap`, also
            for the default.
        loss (dict): Config of :class:`OffsetGuidedLoss`. Defaults to a tenth of the
            weight for the score maps' background: the head has no normalisation, and
            is slow to begin otherwise (see configs/ogn_mask_rcnn/README.md).
        init_cfg (dict | list[dict]): Defaults to small weights for the two
            deconvolutions, so that maps begin near 0, as in MMPose's heads.
        **kwargs: Further arguments of :class:`OneHotKeypointHead`; with ``vote_radius``
            pixels vote for the places that their offsets point to.

    Raises:
        ValueError: If ``score_loss`` is unknown, or ``radius`` too small.
    """

    def __init__(
        self,
        num_keypoints: int,
        score_loss: str = 'smooth_l1',
        radius: float | None = None,
        loss: dict = dict(type='mmpose.OffsetGuidedLoss', background_weight=0.1),
        init_cfg=dict(type='Normal', layer='ConvTranspose2d', std=0.001),
        **kwargs,
    ) -> None:
        super().__init__(num_keypoints, init_cfg=init_cfg, **kwargs)
        if score_loss not in ('smooth_l1', 'softmax'):
            raise ValueError(
                "OffsetKeypointHead: score_loss must be 'smooth_l1' or 'softmax', "
                f'got {score_loss!r}'
            )
        self.score_loss = score_loss
        # in map pixels on both sides: a ROI has no input of its own
        self.codec = OffsetHeatmap(
            self.map_size, self.map_size, radius, vote_radius=self.vote_radius
        )
        self.loss_module = MODELS.build(loss)
        self.offset_deconv = self.build_deconv(
            self.deconv.in_channels, 2 * num_keypoints
        )

    def forward(self, feats: Tensor) -> Tensor:
        """Predict maps.

        Args:
            feats (Tensor): Features of the ROIs, (R, C, h, w).

        Returns:
            Tensor: K score maps (logits for ``'softmax'``), then 2K offset maps
            x0, y0, x1, y1, ... in units of the radius, (R, 3K, H, W), of
            :class:`OneHotKeypointHead`'s size.
        """
        feats = self.convs(feats)
        return self.upsample(
            torch.cat([self.deconv(feats), self.offset_deconv(feats)], dim=1)
        )

    def loss(
        self, maps: Tensor, rois: Tensor, keypoints: Tensor, visible: Tensor
    ) -> dict[str, Tensor]:
        """Compute the losses over the visible keypoints in reach of their ROIs.

        The softmax needs a keypoint inside the ROI; for a disk it is enough to reach
        into it.

        Args:
            maps (Tensor): As :meth:`forward` returns.
            rois (Tensor): x1, y1, x2, y2, (R, 4).
            keypoints (Tensor): The ROIs' own people's, in image pixels, (R, K, 2).
            visible (Tensor): Above 0 for keypoints that count, (R, K).

        Returns:
            dict: ``loss_keypoint`` of the score maps and ``loss_keypoint_offset``;
            zero, with zero gradients, where no keypoint counts.
        """
        scores, offsets = self.split(maps)
        points = image_to_roi_map(keypoints, rois, self.map_size)
        counted = count_in(rois, visible)
        disks = disk_windows(points, counted, self.map_size, self.codec.radius)
        inside = disks.inside.float()
        softmax = self.score_loss == 'softmax'
        score_loss, offset_loss = self.loss_module(
            scores,
            pixels_of(offsets, disks),
            None if softmax else draw_windows(inside, disks.pixels, self.map_size),
            disks.offsets.flatten(1, 2)[:, :, None],
            offset_weights=inside[:, :, None],
            keypoint_weights=inside.amax(dim=2),
        )
        if softmax:
            score_loss = self.softmax_loss(scores, points, counted)
        else:
            score_loss = self.loss_weight * score_loss
        return dict(
            loss_keypoint=score_loss,
            loss_keypoint_offset=self.loss_weight * offset_loss,
        )

    def split(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Score maps, (R, K, H, W), and offset maps, (R, 2K, H, W)."""
        return maps.split((self.num_keypoints, 2 * self.num_keypoints), dim=1)

    def decode(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Keypoints in map pixels, (R, K, 2), and scores, (R, K), of float maps.

        By equation 4, see :meth:`OffsetHeatmap.batch_decode`. A softmax's score is
        the probability that the keypoint lies within R of the place found.
        """
        if self.score_loss == 'softmax':
            logits, offsets = self.split(maps)
            probabilities = spatial_softmax(logits)
            maps = torch.cat([probabilities, offsets], dim=1)
        points, scores = (decoded[:, 0] for decoded in self.codec.batch_decode(maps))
        if self.score_loss == 'softmax':
            scores = probability_within(probabilities, points, self.codec.radius)
        return points, scores


def pixels_of(offsets: Tensor, disks: DiskWindows) -> Tensor:
    """Offset maps, (R, 2K, H, W), at the pixels of the windows, (R, 2K, 1, S * S)."""
    maps = offsets.unflatten(1, (-1, 2)).flatten(3)
    index = disks.pixels[:, :, None].expand(-1, -1, 2, -1)
    return maps.gather(3, index).flatten(1, 2)[:, :, None]
