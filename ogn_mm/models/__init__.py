from .dense_heads import BoxFilterRPNHead
from .heads import OffsetHead
from .losses import OffsetGuidedLoss
from .roi_heads import PersonBBoxHead, PersonBoxMixin

__all__ = [
    'BoxFilterRPNHead',
    'OffsetGuidedLoss',
    'OffsetHead',
    'PersonBBoxHead',
    'PersonBoxMixin',
]
