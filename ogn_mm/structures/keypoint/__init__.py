"""Keypoints: the joints of data sets, and ways between them."""

from .posetrack_joints import (
    POSETRACK17_JOINTS,
    POSETRACK18_JOINTS,
    SHARED_WITH_COCO,
    coco_to_posetrack,
)
from .regions import inside_regions

__all__ = [
    'POSETRACK17_JOINTS',
    'POSETRACK18_JOINTS',
    'SHARED_WITH_COCO',
    'coco_to_posetrack',
    'inside_regions',
]
