from .box_filters import BoxNMS, GreedyBoxGeneration

__all__ = ['BoxNMS', 'GreedyBoxGeneration']
