from .bootstrap import (
    PoseMatches,
    average_precision,
    bootstrap_difference,
    bootstrap_mean,
    match_poses,
)
from .box_recall import recall_curve
from .coco_eval import with_every_pose
from .person_matches import (
    MIN_OKS,
    OKS_THRESHOLDS,
    PersonMatches,
    keypoint_distances,
    keypoint_errors,
    match_people,
    pck_errors,
    share_below,
)
from .pose_nms import check_nms_criteria, pose_nms, pose_oks, pose_scores
from .posetrack_files import read_frames, read_posetrack, write_posetrack
from .posetrack_report import PoseTrackReport, remarks
from .posetrack_sequence import PoseSequence, check_track_ids
from .track_length import in_long_tracks

__all__ = [
    'MIN_OKS',
    'OKS_THRESHOLDS',
    'PersonMatches',
    'PoseMatches',
    'PoseSequence',
    'PoseTrackReport',
    'average_precision',
    'bootstrap_difference',
    'bootstrap_mean',
    'check_nms_criteria',
    'check_track_ids',
    'in_long_tracks',
    'keypoint_distances',
    'keypoint_errors',
    'match_people',
    'match_poses',
    'pck_errors',
    'pose_nms',
    'pose_oks',
    'pose_scores',
    'read_frames',
    'read_posetrack',
    'recall_curve',
    'remarks',
    'share_below',
    'with_every_pose',
    'write_posetrack',
]
