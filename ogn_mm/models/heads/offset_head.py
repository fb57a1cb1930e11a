from collections.abc import Sequence

import torch
from mmcv.cnn import build_conv_layer
from mmengine.structures import InstanceData, PixelData
from mmpose.models.heads import HeatmapHead
from mmpose.registry import MODELS
from mmpose.utils.typing import (
    ConfigType,
    Features,
    InstanceList,
    OptConfigType,
    OptSampleList,
    Predictions,
)
from torch import Tensor

from ogn_mm.codecs import OffsetHeatmap

# Share of the input's width and height within which ``acc_pose`` counts a
# keypoint as found, as in MMPose's heatmap heads.
PCK_THRESHOLD = 0.05


@MODELS.register_module()
class OffsetHead(HeatmapHead):
    """Head of the offset-guided network (section 3.1.2 of the OGN paper).

    N deconvolutions, then two convolutions in parallel: one gives K heatmaps,
    the other 2K offset maps. It takes the arguments of MMPose's
    ``HeatmapHead``, whose weights it also loads.

    Args:
        in_channels (int | Sequence[int]): Channels of the backbone's last
            feature map.
        out_channels (int): Number of keypoints K.
        deconv_out_channels (Sequence[int], optional): Output channels of each
            deconvolution, each of which halves the stride; ``None`` for none.
        final_layer (dict): Arguments of the two parallel ``Conv2d`` layers.
        loss (dict): Config of the loss, see :class:`OffsetGuidedLoss`.
        decoder (dict, optional): Config of the codec :class:`OffsetHeatmap`.
        **kwargs: Further arguments of ``HeatmapHead``.

    Raises:
        TypeError: If ``decoder`` is another codec.
    """

    def __init__(
        self,
        in_channels: int | Sequence[int],
        out_channels: int,
        deconv_out_channels: Sequence[int] | None = (256, 256),
        deconv_kernel_sizes: Sequence[int] | None = (4, 4),
        final_layer: ConfigType = dict(kernel_size=1),
        loss: ConfigType = dict(type='OffsetGuidedLoss'),
        decoder: OptConfigType = None,
        **kwargs,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            deconv_out_channels=deconv_out_channels,
            deconv_kernel_sizes=deconv_kernel_sizes,
            final_layer=final_layer,
            loss=loss,
            decoder=decoder,
            **kwargs,
        )
        if self.decoder is not None and not isinstance(self.decoder, OffsetHeatmap):
            raise TypeError(
                'OffsetHead: decoder must be the codec OffsetHeatmap, '
                f'got {type(self.decoder).__name__}'
            )
        offset_layer = dict(type='Conv2d', **final_layer)
        offset_layer.update(
            in_channels=self.final_layer.in_channels, out_channels=2 * out_channels
        )
        self.offset_layer = build_conv_layer(offset_layer)

    def forward(self, feats: tuple[Tensor]) -> Tensor:
        """Predict heatmaps and offset maps.

        Args:
            feats (tuple[Tensor]): Multi-scale features, of which the last,
                (B, C, h, w), is used.

        Returns:
            Tensor: K heatmaps, then 2K offset maps x0, y0, x1, y1, ... in
            units of the disk radius, (B, 3K, H, W).
        """
        x = self.conv_layers(self.deconv_layers(feats[-1]))
        return torch.cat([self.final_layer(x), self.offset_layer(x)], dim=1)

    def predict(
        self,
        feats: Features,
        batch_data_samples: OptSampleList,
        test_cfg: ConfigType = {},
    ) -> Predictions:
        """Predict keypoints.

        Args:
            feats (Features): Features of the inputs, or a list with those of
                the inputs and of the mirrored inputs if ``flip_test`` is set.
            batch_data_samples (list[PoseDataSample]): The data samples.
            test_cfg (dict): ``flip_test`` averages over the mirrored inputs;
                ``output_heatmaps`` returns the K heatmaps as well. There is
                nothing to shift: the maps of mirrored inputs align.

        Returns:
            list[InstanceData]: Per sample ``keypoints`` (1, K, 2) in input
            pixels and ``keypoint_scores`` (1, K) in [0, 1]. With
            ``output_heatmaps`` also a list of ``PixelData`` with ``heatmaps``
            (K, H, W).
        """
        if test_cfg.get('shift_heatmap', False):
            raise ValueError(
                'OffsetHead: shift_heatmap in test_cfg must be False, heatmaps '
                'of mirrored inputs align without a shift'
            )
        if test_cfg.get('flip_test', False):
            feats, feats_flip = feats
            maps = self.forward(feats)
            self.average_flipped(
                maps,
                self.forward(feats_flip),
                batch_data_samples[0].metainfo['flip_indices'],
            )
        else:
            maps = self.forward(feats)

        preds = self.decode(maps)
        if not test_cfg.get('output_heatmaps', False):
            return preds
        heatmaps = maps[:, : self.out_channels].detach()
        return preds, [PixelData(heatmaps=maps) for maps in heatmaps]

    def average_flipped(
        self, maps: Tensor, flipped: Tensor, flip_indices: Sequence[int]
    ) -> None:
        """Average maps, in place, with those of the mirrored inputs.

        Mirroring swaps left and right keypoints and turns the offsets' x.

        Args:
            maps (Tensor): (B, 3K, H, W) as :meth:`forward` returns.
            flipped (Tensor): The same of the inputs mirrored left to right.
            flip_indices (Sequence[int]): For each keypoint the one it becomes
                in a mirror, (K,).
        """
        heatmaps = torch.as_tensor(flip_indices, device=maps.device)
        offsets = (
            self.out_channels + 2 * heatmaps[:, None] + heatmaps.new_tensor([0, 1])
        )
        flipped = flipped[:, torch.cat([heatmaps, offsets.flatten()])].flip(-1)
        flipped[:, self.out_channels :: 2].neg_()
        maps.lerp_(flipped, 0.5)

    def decode(self, batch_outputs: Tensor) -> InstanceList:
        """Decode keypoints on the device of the maps (eq. 3 and 4).

        Only the coordinates and scores are copied to the host, all at once.

        Args:
            batch_outputs (Tensor): (B, 3K, H, W) as :meth:`forward` returns.

        Returns:
            list[InstanceData]: Per sample ``keypoints`` (1, K, 2) in input
            pixels and ``keypoint_scores`` (1, K) in [0, 1], arrays.
        """
        if self.decoder is None:
            raise RuntimeError('OffsetHead: set decoder to decode keypoints')
        keypoints, scores = self.decoder.batch_decode(batch_outputs)
        decoded = torch.cat([keypoints, scores[..., None]], dim=-1).cpu().numpy()
        return [
            InstanceData(keypoints=person[..., :2], keypoint_scores=person[..., 2])
            for person in decoded
        ]

    def loss(
        self,
        feats: tuple[Tensor],
        batch_data_samples: OptSampleList,
        train_cfg: ConfigType = {},
    ) -> dict[str, Tensor]:
        """Compute the losses.

        Args:
            feats (tuple[Tensor]): Multi-scale features.
            batch_data_samples (list[PoseDataSample]): Samples whose
                ``gt_fields`` and ``gt_instance_labels`` :class:`OffsetHeatmap`
                encoded.
            train_cfg (dict): ``compute_acc`` (default True) adds the accuracy
                if there is a decoder.

        Returns:
            dict: ``loss_heatmap``, ``loss_offset`` and ``acc_pose``, the share
            of the keypoints that lie within 5 % of the input's size of the
            target.
        """
        maps = self.forward(feats)
        fields = [sample.gt_fields for sample in batch_data_samples]
        if 'offsets' not in fields[0]:
            raise ValueError(
                'OffsetHead: the training pipeline must encode its targets with '
                'the codec OffsetHeatmap'
            )
        gt_heatmaps = torch.stack([field.heatmaps for field in fields])
        if gt_heatmaps.shape[2:] != maps.shape[2:]:
            (height, width), (h, w) = maps.shape[2:], gt_heatmaps.shape[2:]
            raise ValueError(
                f'OffsetHead: gives maps of {width} x {height}, but the codec has '
                f'`heatmap_size` {(w, h)}'
            )
        gt_offsets = torch.stack([field.offsets for field in fields])
        keypoint_weights = torch.cat(
            [
                sample.gt_instance_labels.keypoint_weights
                for sample in batch_data_samples
            ]
        )
        loss_heatmap, loss_offset = self.loss_module(
            *maps.split((self.out_channels, 2 * self.out_channels), 1),
            gt_heatmaps,
            gt_offsets,
            torch.stack([field.offset_weights for field in fields]),
            keypoint_weights,
        )
        losses = dict(loss_heatmap=loss_heatmap, loss_offset=loss_offset)

        if self.decoder is not None and train_cfg.get('compute_acc', True):
            predicted, _ = self.decoder.batch_decode(maps.detach())
            target, _ = self.decoder.batch_decode(
                torch.cat([gt_heatmaps, gt_offsets], dim=1)
            )
            size = predicted.new_tensor(self.decoder.input_size)
            found = ((predicted - target) / size).norm(dim=-1) < PCK_THRESHOLD
            counts = keypoint_weights > 0
            losses['acc_pose'] = (found[:, 0] & counts).sum() / counts.sum().clamp(1)
        return losses
