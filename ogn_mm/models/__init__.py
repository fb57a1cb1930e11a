from .dense_heads import BoxFilterRPNHead
from .heads import OffsetHead
from .losses import OffsetGuidedLoss
from .roi_heads import PersonBBoxHead, PersonBoxMixin
from .task_modules import BoxNMS, GreedyBoxGeneration

__all__ = [
    'BoxFilterRPNHead',
    'BoxNMS',
    'GreedyBoxGeneration',
    'OffsetGuidedLoss',
    'OffsetHead',
    'PersonBBoxHead',
    'PersonBoxMixin',
]
