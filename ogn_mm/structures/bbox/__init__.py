"""Boxes: pure functions, and boxes that take keypoints along."""

from .box_groups import group_boxes
from .detection_errors import apply_box_errors, box_errors, fit_box_errors
from .greedy_box_generation import greedy_box_generation
from .keypoint_boxes import KeypointBoxes, inside_image
from .matching import assign_detections, box_iou
from .ratio import extend_to_ratio
from .roi_maps import (
    has_area,
    image_to_roi_map,
    rescale_keypoints,
    roi_map_to_image,
)

__all__ = [
    'KeypointBoxes',
    'apply_box_errors',
    'assign_detections',
    'box_errors',
    'box_iou',
    'extend_to_ratio',
    'fit_box_errors',
    'greedy_box_generation',
    'group_boxes',
    'has_area',
    'image_to_roi_map',
    'inside_image',
    'rescale_keypoints',
    'roi_map_to_image',
]
