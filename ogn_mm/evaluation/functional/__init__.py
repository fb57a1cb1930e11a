from .bootstrap import (
    PoseMatches,
    average_precision,
    bootstrap_difference,
    match_poses,
)
from .box_recall import recall_curve
from .pose_nms import check_nms_criteria, pose_nms, pose_oks, pose_scores
from .track_length import in_long_tracks

__all__ = [
    'PoseMatches',
    'average_precision',
    'bootstrap_difference',
    'check_nms_criteria',
    'in_long_tracks',
    'match_poses',
    'pose_nms',
    'pose_oks',
    'pose_scores',
    'recall_curve',
]
