import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn.modules.utils import _pair

from ogn_mm.codecs.offset_heatmap import default_radius
from ogn_mm.codecs.utils import (
    argmax_2d,
    average_votes,
    decode_one_hot,
    one_hot_targets,
    probability_within,
)
from ogn_mm.structures.bbox import has_area, image_to_roi_map, roi_map_to_image
from ogn_mm.structures.bbox.checks import check_count, check_in_range


@MODELS.register_module()
class OneHotKeypointHead(BaseModule):
    """Keypoint head of Mask R-CNN: one pixel of a softmax for each keypoint.

    Convolutions, a deconvolution and bilinear upsampling give maps of four times the
    size of the ROI's features: 56x56 for 14x14. He et al., Mask R-CNN, ICCV 2017,
    section 5; the baseline of Tables 3 and 4 in the OGN paper.

    Args:
        num_keypoints (int): K.
        roi_feat_size (int | tuple[int, int]): Size of the ROI's features, (h, w), or
            one number for a square; the ``output_size`` of the ROI extractor.
        in_channels (int): Channels of the features. Defaults to 256.
        num_convs (int): 3x3 convolutions. Defaults to 8.
        conv_out_channels (int): Their channels. Defaults to 512.
        upsampling (int): Factor of the bilinear upsampling, 1 for none. Defaults to 2.
        loss_weight (float): Factor of the losses. Defaults to 1.
        vote_radius (float): Decoding averages the places of the pixels within this
            distance of the best one, weighted by their probabilities, in map pixels.
            Defaults to 0: the maximum of the interpolated map, as in Mask R-CNN's
            implementations.
        init_cfg (dict | list[dict]): Defaults to He's normal distribution over
            outputs ("fan_out") for the deconvolution, which the convolutions have in
            any case.

    Raises:
        ValueError: If ``num_convs`` or ``vote_radius`` is negative or ``upsampling`` no
            integer of at least 1.
    """

    def __init__(
        self,
        num_keypoints: int,
        roi_feat_size: int | tuple[int, int] = 14,
        in_channels: int = 256,
        num_convs: int = 8,
        conv_out_channels: int = 512,
        upsampling: int = 2,
        loss_weight: float = 1.0,
        vote_radius: float = 0,
        init_cfg=dict(type='Kaiming', layer='ConvTranspose2d'),
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        check_in_range('num_convs', num_convs, 0, 1000)
        check_count('upsampling', upsampling)
        check_in_range('vote_radius', vote_radius, 0)
        self.num_keypoints = num_keypoints
        self.roi_feat_size = _pair(roi_feat_size)
        self.upsampling = upsampling
        # (W, H), as of codecs
        self.map_size = tuple(
            2 * upsampling * size for size in self.roi_feat_size[::-1]
        )
        self.loss_weight = loss_weight
        self.vote_radius = vote_radius
        channels = [in_channels] + num_convs * [conv_out_channels]
        self.convs = nn.Sequential(
            *(
                ConvModule(channels[i], channels[i + 1], 3, padding=1)
                for i in range(num_convs)
            )
        )
        self.deconv = self.build_deconv(channels[-1], num_keypoints)

    @staticmethod
    def build_deconv(in_channels: int, out_channels: int) -> nn.Module:
        """The layer that turns features into maps of twice their size."""
        return nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1)

    def upsample(self, maps: Tensor) -> Tensor:
        """Bilinear upsampling; pixels keep their place, as centres count."""
        if self.upsampling == 1:
            return maps
        return F.interpolate(
            maps, scale_factor=self.upsampling, mode='bilinear', align_corners=False
        )

    def forward(self, feats: Tensor) -> Tensor:
        """Predict maps.

        Args:
            feats (Tensor): Features of the ROIs, (R, C, h, w).

        Returns:
            Tensor: Logits, (R, K, H, W), H = 2 * upsampling * h and W likewise.
        """
        return self.upsample(self.deconv(self.convs(feats)))

    def loss(
        self, maps: Tensor, rois: Tensor, keypoints: Tensor, visible: Tensor
    ) -> dict[str, Tensor]:
        """Compute the loss over the visible keypoints inside their ROIs.

        Args:
            maps (Tensor): As :meth:`forward` returns.
            rois (Tensor): x1, y1, x2, y2, (R, 4).
            keypoints (Tensor): The ROIs' own people's, in image pixels, (R, K, 2).
            visible (Tensor): Above 0 for keypoints that count, (R, K).

        Returns:
            dict: ``loss_keypoint``, the mean over these keypoints; zero, with zero
            gradients, where there is none.
        """
        points = image_to_roi_map(keypoints, rois, self.map_size)
        return dict(
            loss_keypoint=self.softmax_loss(maps, points, count_in(rois, visible))
        )

    def softmax_loss(self, logits: Tensor, points: Tensor, counted: Tensor) -> Tensor:
        """Cross-entropy over the H * W pixels of each keypoint's map.

        Args:
            logits (Tensor): (R, K, H, W).
            points (Tensor): Keypoints in map pixels, (R, K, 2).
            counted (Tensor): Keypoints that count if they lie on the map, bool,
                (R, K).

        Returns:
            Tensor: Mean over the keypoints that count, a scalar.
        """
        index, inside = one_hot_targets(points, self.map_size)
        counted = counted & inside
        loss = F.cross_entropy(
            logits.float().flatten(2).flatten(0, 1), index.flatten(), reduction='none'
        )
        # a weighted sum: a selection would wait for the device
        loss = (loss * counted.flatten()).sum() / counted.sum().clamp(min=1)
        return self.loss_weight * loss

    def predict(self, maps: Tensor, rois: Tensor) -> tuple[Tensor, Tensor]:
        """Decode keypoints, all ROIs at once.

        Args:
            maps (Tensor): As :meth:`forward` returns.
            rois (Tensor): x1, y1, x2, y2, (R, 4).

        Returns:
            tuple[Tensor, Tensor]: float32:

            - keypoints (R, K, 2) in image pixels.
            - scores (R, K) in [0, 1].
        """
        points, scores = self.decode(maps.float())
        return roi_map_to_image(points, rois, self.map_size), scores

    def decode(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Keypoints in map pixels, (R, K, 2), and scores, (R, K), of float maps.

        The score is the probability that the keypoint lies within a disk's radius of
        the place found.
        """
        probabilities = spatial_softmax(maps)
        if self.vote_radius > 0:
            best = argmax_2d(maps)
            points = average_votes(probabilities, best, self.vote_radius)
        else:
            points = decode_one_hot(maps)
        radius = default_radius(self.map_size)
        return points, probability_within(probabilities, points, radius)


def spatial_softmax(maps: Tensor) -> Tensor:
    """Softmax over the pixels of each map, (..., H, W)."""
    return maps.flatten(-2).softmax(dim=-1).view_as(maps)


def count_in(rois: Tensor, visible: Tensor) -> Tensor:
    """Which keypoints a loss may count, bool, (R, K): visible, of a ROI with area."""
    return (visible > 0) & has_area(rois)[:, None]
