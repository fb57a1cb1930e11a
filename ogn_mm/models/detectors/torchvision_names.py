"""From the names of a network of MMDetection to those of torchvision's."""

import re

import torch
from torch import Tensor

# One tensor on either side. BatchNorm's counter has no use where it is frozen.
NAMES = (
    (r'backbone\.(?!.*num_batches_tracked)(.+)', r'backbone.body.\1'),
    (r'neck\.lateral_convs\.(\d+)\.conv\.(.+)', r'backbone.fpn.inner_blocks.\1.0.\2'),
    (r'neck\.fpn_convs\.(\d+)\.conv\.(.+)', r'backbone.fpn.layer_blocks.\1.0.\2'),
    (r'rpn_head\.rpn_conv\.(.+)', r'rpn.head.conv.0.0.\1'),
    (r'rpn_head\.rpn_cls\.(.+)', r'rpn.head.cls_logits.\1'),
    (r'rpn_head\.rpn_reg\.(.+)', r'rpn.head.bbox_pred.\1'),
    (r'roi_head\.bbox_head\.shared_fcs\.0\.(.+)', r'roi_heads.box_head.fc6.\1'),
    (r'roi_head\.bbox_head\.shared_fcs\.1\.(.+)', r'roi_heads.box_head.fc7.\1'),
    (r'roi_head\.bbox_head\.fc_cls\.(.+)', r'roi_heads.box_predictor.cls_score.\1'),
    (r'roi_head\.bbox_head\.fc_reg\.(.+)', r'roi_heads.box_predictor.bbox_pred.\1'),
    (
        r'roi_head\.keypoint_head\.deconv\.(.+)',
        r'roi_heads.keypoint_predictor.kps_score_lowres.\1',
    ),
)
KEYPOINT_CONV = re.compile(r'roi_head\.keypoint_head\.convs\.(\d+)\.conv\.(.+)')


def torchvision_name(name: str) -> str | None:
    """The name of the same tensor in ``torchvision.models.detection.KeypointRCNN``.

    Args:
        name (str): In a ``FasterRCNN`` of MMDetection with a keypoint head.

    Returns:
        str | None: None if torchvision's network has no such tensor.
    """
    for pattern, replacement in NAMES:
        if re.fullmatch(pattern, name):
            return re.sub(pattern, replacement, name)
    if found := KEYPOINT_CONV.fullmatch(name):
        # convolutions and ReLUs take turns there
        return f'roi_heads.keypoint_head.{2 * int(found[1])}.{found[2]}'
    return None


def torchvision_tensor(name: str, tensor: Tensor) -> Tensor:
    """The tensor as torchvision's network has it.

    Its background is the first class, not the last, and has a box as well, which is
    neither learnt nor used; here it is zero.

    Args:
        name (str): In MMDetection.
        tensor (Tensor): Of a box head of one class.
    """
    if '.fc_cls.' in name:
        return tensor.flip(0)
    if '.fc_reg.' in name:
        return torch.cat([torch.zeros_like(tensor), tensor])
    return tensor


def to_torchvision(state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    """Translate the state of MMDetection's network; what has no equal is left out."""
    return {
        found: torchvision_tensor(name, tensor)
        for name, tensor in state_dict.items()
        if (found := torchvision_name(name))
    }
