from .bbox_heads import PersonBBoxHead, PersonBoxMixin
from .keypoint_heads import OffsetKeypointHead, OneHotKeypointHead
from .keypoint_roi_head import KeypointRoIHead

__all__ = [
    'KeypointRoIHead',
    'OffsetKeypointHead',
    'OneHotKeypointHead',
    'PersonBBoxHead',
    'PersonBoxMixin',
]
