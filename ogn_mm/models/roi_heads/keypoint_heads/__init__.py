from .offset_keypoint_head import OffsetKeypointHead
from .one_hot_keypoint_head import OneHotKeypointHead

__all__ = ['OffsetKeypointHead', 'OneHotKeypointHead']
