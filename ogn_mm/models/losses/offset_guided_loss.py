import torch.nn.functional as F
from mmpose.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class OffsetGuidedLoss(nn.Module):
    """Smooth L1 on heatmaps and on the offsets inside the disks.

    The two are added without a balancing weight (sections 3.1.2 and 3.1.4 of
    the OGN paper). Both are sums divided by the same count, so that their
    ratio is the paper's whatever the count is. The default, the number of disk
    pixels, keeps the loss of the same size at every stride and radius; a mean
    over the map, as is common, would fade as the disks cover less of it.

    Args:
        beta (float): Error at which Smooth L1 turns from quadratic to linear;
            the paper names none. Heatmaps and offsets share it, both being in
            [-1, 1]. Defaults to 1, which was best or nearly so (see
            configs/ogn_topdown/README.md).
        normalize_by (str): What the sums are divided by: ``'disk'``, the pixels
            in the disks; ``'keypoint'``, the keypoints that count; ``'map'``,
            all the pixels of their maps. Defaults to ``'disk'``.
        background_weight (float): Weight of heatmap pixels outside the disks, in
            (0, 1]. All pixels share the features' mean; while it is large, the
            background, a few hundred times the disks, holds the map near 0 and
            learning is slow to begin. Defaults to 1.
        loss_weight (float): Factor of both losses. Defaults to 1.

    Raises:
        ValueError: If ``beta`` is not positive, ``normalize_by`` is unknown or
            ``background_weight`` is out of range.
    """

    def __init__(
        self,
        beta: float = 1.0,
        normalize_by: str = 'disk',
        background_weight: float = 1.0,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        if not beta > 0:
            raise ValueError(f'OffsetGuidedLoss: beta must be > 0, got {beta}')
        if normalize_by not in ('disk', 'keypoint', 'map'):
            raise ValueError(
                "OffsetGuidedLoss: normalize_by must be 'disk', 'keypoint' or "
                f"'map', got {normalize_by!r}"
            )
        if not 0 < background_weight <= 1:
            raise ValueError(
                'OffsetGuidedLoss: background_weight must be above 0 and at most 1, '
                f'got {background_weight}'
            )
        self.background_weight = background_weight
        self.beta = beta
        self.normalize_by = normalize_by
        self.loss_weight = loss_weight

    def forward(
        self,
        heatmaps: Tensor,
        offsets: Tensor,
        gt_heatmaps: Tensor | None,
        gt_offsets: Tensor,
        offset_weights: Tensor,
        keypoint_weights: Tensor,
    ) -> tuple[Tensor | None, Tensor]:
        """Compute the two losses in float32.

        Offsets, with their targets and weights, may be given at some of the maps'
        pixels alone, (B, 2K, 1, P) and (B, K, 1, P), if the others have no weight.

        Args:
            heatmaps (Tensor): Predicted heatmaps, (B, K, H, W).
            offsets (Tensor): Predicted offsets in units of the radius,
                channels x0, y0, x1, y1, ..., (B, 2K, H, W).
            gt_heatmaps (Tensor, optional): Target of ``heatmaps``; None if they are
                learnt by another loss.
            gt_offsets (Tensor): Target of ``offsets``.
            offset_weights (Tensor): 1 where the offset loss counts, else 0,
                (B, K, H, W).
            keypoint_weights (Tensor): Weight of each keypoint, (B, K).

        Returns:
            tuple[Tensor, Tensor]: Heatmap loss and offset loss, scalars; zero,
            with zero gradients, where no keypoint counts. Without ``gt_heatmaps``
            the first is None.
        """
        inside = offset_weights * keypoint_weights[..., None, None]
        count = {
            'disk': lambda: inside.sum(),
            'keypoint': lambda: keypoint_weights.sum(),
            'map': lambda: keypoint_weights.sum() * heatmaps.shape[2:].numel(),
        }[self.normalize_by]()
        factor = self.loss_weight / count.clamp(min=1)

        offset_loss = self._elementwise(offsets, gt_offsets).unflatten(1, (-1, 2))
        offset_loss = (offset_loss * inside[:, :, None]).sum() * factor
        if gt_heatmaps is None:
            return None, offset_loss
        # maps are summed before they are weighted, which spares a copy of them
        heatmap_loss = self._elementwise(heatmaps, gt_heatmaps)
        if self.background_weight < 1:
            heatmap_loss = heatmap_loss * gt_heatmaps.clamp(min=self.background_weight)
        heatmap_loss = heatmap_loss.sum(dim=(2, 3))
        return (heatmap_loss * keypoint_weights).sum() * factor, offset_loss

    def _elementwise(self, prediction: Tensor, target: Tensor) -> Tensor:
        return F.smooth_l1_loss(
            prediction.float(), target, reduction='none', beta=self.beta
        )
