from .person_bbox_head import PersonBBoxHead, PersonBoxMixin

__all__ = ['PersonBBoxHead', 'PersonBoxMixin']
