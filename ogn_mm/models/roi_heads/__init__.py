from .bbox_heads import PersonBBoxHead, PersonBoxMixin

__all__ = ['PersonBBoxHead', 'PersonBoxMixin']
