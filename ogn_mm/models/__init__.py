from .heads import OffsetHead
from .losses import OffsetGuidedLoss

__all__ = ['OffsetGuidedLoss', 'OffsetHead']
