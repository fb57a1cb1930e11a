from .bbox import greedy_box_generation, group_boxes

__all__ = ['greedy_box_generation', 'group_boxes']
