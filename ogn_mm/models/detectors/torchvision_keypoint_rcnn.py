import torch
from mmdet.models.detectors import BaseDetector
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmdet.utils import ConfigType, OptConfigType, OptMultiConfig
from mmengine.structures import InstanceData
from torch import Tensor, nn
from torchvision.models import resnet
from torchvision.models.detection import KeypointRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.keypoint_rcnn import (
    KeypointRCNNHeads,
    KeypointRCNNPredictor,
)
from torchvision.ops import FrozenBatchNorm2d, MultiScaleRoIAlign

from ogn_mm.structures.bbox import rescale_keypoints

from .torchvision_names import to_torchvision


@MODELS.register_module()
class TorchvisionKeypointRCNN(BaseDetector):
    """torchvision's Keypoint R-CNN as a detector of MMDetection, to compare with.

    The network, its losses and its decoding are those behind torchvision's
    ``keypointrcnn_resnet50_fpn``; data, augmentation, normalisation, schedule and
    metrics are MMDetection's, so that torchvision's own resizing is left out.

    A checkpoint of MMDetection's Faster R-CNN, of one class, with or without
    :class:`OneHotKeypointHead`, may be loaded: its tensors find their places.

    Args:
        depth (int): Of the ResNet. Defaults to 50.
        base_channels (int): Channels of its stem; 64 is torchvision's and the default.
        out_indices (tuple[int, ...]): Its stages, from 0, that the pyramid is made of.
        frozen_stages (int): Its stages that are not learnt, as in MMDetection: -1, all
            are learnt; 0, the stem is not. Its BatchNorm is frozen anyhow.
        fpn_channels (int): Of the pyramid's levels. Defaults to 256.
        box_channels (int): Of the box head. Defaults to 1024.
        anchor_sizes (tuple[int, ...]): Pixels, one for each level of the pyramid, the
            one above ``out_indices`` included.
        canonical_scale (int): Side in pixels of ROIs that go to the third level (of
            stride 16 for the default ``out_indices``).
        num_keypoints (int): K.
        keypoint_channels (tuple[int, ...]): Of the keypoint head's convolutions.
        keypoint_roi_size (int): Side of a ROI's features for that head; its maps are
            four times as large. Defaults to torchvision's 14.
        initialize_as (dict, optional): Config of a detector of MMDetection. With the
            same seed this network starts from the very tensors that it starts from.
        data_preprocessor (dict): Config of ``DetDataPreprocessor``.
        init_cfg (dict, optional): As in ``BaseModule``.
        **options: Numbers of ``torchvision.models.detection.KeypointRCNN``, for
            example ``rpn_batch_size_per_image``.
    """

    def __init__(
        self,
        depth: int = 50,
        base_channels: int = 64,
        out_indices: tuple[int, ...] = (0, 1, 2, 3),
        frozen_stages: int = 1,
        fpn_channels: int = 256,
        box_channels: int = 1024,
        anchor_sizes: tuple[int, ...] = (32, 64, 128, 256, 512),
        canonical_scale: int = 224,
        num_keypoints: int = 17,
        keypoint_channels: tuple[int, ...] = (512,) * 8,
        keypoint_roi_size: int = 14,
        initialize_as: OptConfigType = None,
        data_preprocessor: OptConfigType = None,
        init_cfg: OptMultiConfig = None,
        **options,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        # before anything else draws random numbers, as when it is built for itself
        self._template = [MODELS.build(initialize_as)] if initialize_as else []
        self._random_state = torch.get_rng_state()
        levels = [str(i) for i in range(len(out_indices))]

        def roi_align(size):
            return MultiScaleRoIAlign(levels, size, 2, canonical_scale=canonical_scale)

        self.net = KeypointRCNN(
            build_backbone(
                depth, base_channels, out_indices, frozen_stages, fpn_channels
            ),
            rpn_anchor_generator=AnchorGenerator(
                tuple((size,) for size in anchor_sizes),
                ((0.5, 1.0, 2.0),) * len(anchor_sizes),
            ),
            box_roi_pool=roi_align(7),
            box_head=TwoMLPHead(fpn_channels * 7**2, box_channels),
            box_predictor=FastRCNNPredictor(box_channels, 2),
            keypoint_roi_pool=roi_align(keypoint_roi_size),
            keypoint_head=KeypointRCNNHeads(fpn_channels, keypoint_channels),
            keypoint_predictor=KeypointRCNNPredictor(
                keypoint_channels[-1], num_keypoints
            ),
            **options,
        )

    def init_weights(self) -> None:
        """Take the tensors of ``initialize_as``, if given."""
        super().init_weights()
        if self._template:
            model = self._template.pop()
            with torch.random.fork_rng(devices=[]):
                torch.set_rng_state(self._random_state)
                model.init_weights()
            self.net.load_state_dict(to_torchvision(model.state_dict()))

    def _load_from_state_dict(self, state_dict, prefix, *args):
        if any(name.startswith(f'{prefix}rpn_head.') for name in state_dict):
            found = to_torchvision(
                {name.removeprefix(prefix): state_dict[name] for name in state_dict}
            )
            state_dict.clear()
            state_dict.update({f'{prefix}net.{name}': found[name] for name in found})
        super()._load_from_state_dict(state_dict, prefix, *args)

    def extract_feat(self, batch_inputs: Tensor) -> tuple[Tensor, ...]:
        """Features of the pyramid's levels."""
        return tuple(self.net.backbone(batch_inputs).values())

    def _forward(
        self, batch_inputs: Tensor, batch_data_samples: SampleList, targets=None
    ) -> tuple[list[dict], dict]:
        """Detections of the images, in training their losses."""
        sizes = [tuple(sample.img_shape[:2]) for sample in batch_data_samples]
        features = self.net.backbone(batch_inputs)
        images = ImageList(batch_inputs, sizes)
        proposals, rpn_losses = self.net.rpn(images, features, targets)
        detections, losses = self.net.roi_heads(features, proposals, sizes, targets)
        return detections, {**rpn_losses, **losses}

    def loss(
        self, batch_inputs: Tensor, batch_data_samples: SampleList
    ) -> dict[str, Tensor]:
        """torchvision's five losses. Boxes without area are left out."""
        targets = [to_target(sample.gt_instances) for sample in batch_data_samples]
        return self._forward(batch_inputs, batch_data_samples, targets)[1]

    def predict(
        self, batch_inputs: Tensor, batch_data_samples: SampleList, rescale: bool = True
    ) -> SampleList:
        """Predict boxes and keypoints, as :meth:`KeypointRoIHead.predict` does.

        Keypoint scores are logits to torchvision; here the logistic function of them.
        """
        detections, _ = self._forward(batch_inputs, batch_data_samples)
        results = []
        for found, sample in zip(detections, batch_data_samples, strict=True):
            boxes = found['boxes']
            factor = boxes.new_tensor(sample.scale_factor if rescale else (1, 1))
            results.append(
                InstanceData(
                    bboxes=boxes / factor.repeat(2),
                    scores=found['scores'],
                    labels=found['labels'] - 1,
                    keypoints=rescale_keypoints(
                        found['keypoints'][..., :2] - 0.5, 1 / factor
                    ),
                    keypoint_scores=found['keypoints_scores'].sigmoid(),
                )
            )
        return self.add_pred_to_datasample(batch_data_samples, results)


def build_backbone(
    depth: int,
    base_channels: int,
    out_indices: tuple[int, ...],
    frozen_stages: int,
    fpn_channels: int,
) -> BackboneWithFPN:
    """torchvision's ResNet and pyramid, with any number of channels."""
    net = getattr(resnet, f'resnet{depth}')(norm_layer=FrozenBatchNorm2d)
    if base_channels != net.conv1.out_channels:
        net.inplanes = base_channels
        net.conv1 = nn.Conv2d(3, base_channels, 7, stride=2, padding=3, bias=False)
        net.bn1 = FrozenBatchNorm2d(base_channels)
        for i in range(4):
            layer = getattr(net, f'layer{i + 1}')
            channels, stride = base_channels * 2**i, min(i + 1, 2)
            layer = net._make_layer(type(layer[0]), channels, len(layer), stride)
            setattr(net, f'layer{i + 1}', layer)
    frozen = [net.conv1, net.layer1, net.layer2, net.layer3, net.layer4]
    for part in frozen[: frozen_stages + 1]:
        part.requires_grad_(False)
    return BackboneWithFPN(
        net,
        {f'layer{i + 1}': str(level) for level, i in enumerate(out_indices)},
        [net.inplanes // 8 * 2**i for i in out_indices],
        fpn_channels,
    )


def to_target(gt: InstanceData) -> ConfigType:
    """An image's people as torchvision has them.

    Its coordinates are continuous: a pixel's centre lies at 0.5, and class 0 is the
    background.
    """
    gt = gt[(gt.bboxes[:, 2:] > gt.bboxes[:, :2]).all(dim=1)]
    flags = gt.keypoints_visible[..., None].to(gt.keypoints)
    return dict(
        boxes=gt.bboxes,
        labels=gt.labels + 1,
        keypoints=torch.cat([gt.keypoints + 0.5, flags], dim=-1),
    )
