from .heads import OffsetHead
from .losses import OffsetGuidedLoss
from .task_modules import BoxNMS, GreedyBoxGeneration

__all__ = ['BoxNMS', 'GreedyBoxGeneration', 'OffsetGuidedLoss', 'OffsetHead']
