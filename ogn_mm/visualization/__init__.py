from .curves import draw_curves, draw_scores
from .keypoint_detection_visualizer import KeypointDetectionVisualizer
from .offsets import draw_disk, draw_heatmaps, draw_offset_field
from .poses import cut_around, draw_pose, draw_pose_grid, draw_pose_pair
from .results import draw_oks_histogram, draw_shares
from .tracks import draw_tracks, track_color
from .visualizer import ArrayRadiusVisualizer

__all__ = [
    'ArrayRadiusVisualizer',
    'KeypointDetectionVisualizer',
    'cut_around',
    'draw_curves',
    'draw_disk',
    'draw_heatmaps',
    'draw_offset_field',
    'draw_oks_histogram',
    'draw_pose',
    'draw_pose_grid',
    'draw_pose_pair',
    'draw_scores',
    'draw_shares',
    'draw_tracks',
    'track_color',
]
