from .offset_guided_loss import OffsetGuidedLoss

__all__ = ['OffsetGuidedLoss']
