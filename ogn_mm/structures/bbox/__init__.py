"""Boxes: pure functions, and boxes that take keypoints along."""

from .detection_errors import apply_box_errors, box_errors, fit_box_errors
from .greedy_box_generation import greedy_box_generation, group_boxes
from .keypoint_boxes import KeypointBoxes, inside_image
from .matching import assign_detections, box_iou
from .ratio import extend_to_ratio

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
    'inside_image',
]
