from .bootstrap import (
    PoseMatches,
    average_precision,
    bootstrap_difference,
    match_poses,
)

__all__ = [
    'PoseMatches',
    'average_precision',
    'bootstrap_difference',
    'match_poses',
]
