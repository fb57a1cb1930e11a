from .offset_head import OffsetHead

__all__ = ['OffsetHead']
