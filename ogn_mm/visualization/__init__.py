from .curves import draw_curves, draw_scores
from .keypoint_detection_visualizer import KeypointDetectionVisualizer
from .offsets import draw_disk, draw_heatmaps, draw_offset_field
from .poses import draw_pose, draw_pose_grid
from .tracks import draw_tracks, track_color
from .visualizer import ArrayRadiusVisualizer

__all__ = [
    'ArrayRadiusVisualizer',
    'KeypointDetectionVisualizer',
    'draw_curves',
    'draw_disk',
    'draw_heatmaps',
    'draw_offset_field',
    'draw_pose',
    'draw_pose_grid',
    'draw_scores',
    'draw_tracks',
    'track_color',
]
