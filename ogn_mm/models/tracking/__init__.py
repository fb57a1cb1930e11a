"""Identities in videos: cues, tracker, appearance, optical flow, the whole model."""

from .appearance import ColorStripes, ReIDFeatures
from .composite_model import CompositeModel
from .cues import BoxIoU, FlowOKS, OKSSimilarity, ReIDDistance
from .flow import DISFlow, RAFTFlow
from .pose_tracker import PoseTracker
from .video_pose_estimator import VideoPoseEstimator
from .video_pose_oracle import VideoPoseOracle

__all__ = [
    'BoxIoU',
    'ColorStripes',
    'CompositeModel',
    'DISFlow',
    'FlowOKS',
    'OKSSimilarity',
    'PoseTracker',
    'RAFTFlow',
    'ReIDDistance',
    'ReIDFeatures',
    'VideoPoseEstimator',
    'VideoPoseOracle',
]
