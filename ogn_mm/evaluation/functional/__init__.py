from .bootstrap import (
    PoseMatches,
    average_precision,
    bootstrap_difference,
    match_poses,
)
from .box_recall import recall_curve

__all__ = [
    'PoseMatches',
    'average_precision',
    'bootstrap_difference',
    'match_poses',
    'recall_curve',
]
