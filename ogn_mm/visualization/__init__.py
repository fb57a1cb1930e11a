from .curves import draw_curves, draw_scores
from .offsets import draw_disk, draw_heatmaps, draw_offset_field
from .poses import draw_pose, draw_pose_grid

__all__ = [
    'draw_curves',
    'draw_disk',
    'draw_heatmaps',
    'draw_offset_field',
    'draw_pose',
    'draw_pose_grid',
    'draw_scores',
]
