from .offset_heatmap import OffsetHeatmap

__all__ = ['OffsetHeatmap']
