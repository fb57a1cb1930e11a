from .greedy_box_generation import greedy_box_generation, group_boxes

__all__ = ['greedy_box_generation', 'group_boxes']
