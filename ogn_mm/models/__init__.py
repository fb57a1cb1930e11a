from .dense_heads import BoxFilterRPNHead
from .detectors import TorchvisionKeypointRCNN
from .heads import OffsetHead
from .losses import OffsetGuidedLoss
from .roi_heads import (
    KeypointRoIHead,
    OffsetKeypointHead,
    OneHotKeypointHead,
    PersonBBoxHead,
    PersonBoxMixin,
)
from .task_modules import BoxNMS, GreedyBoxGeneration
from .tracking import PoseTracker, VideoPoseEstimator, VideoPoseOracle

__all__ = [
    'BoxFilterRPNHead',
    'BoxNMS',
    'GreedyBoxGeneration',
    'KeypointRoIHead',
    'OffsetGuidedLoss',
    'OffsetHead',
    'OffsetKeypointHead',
    'OneHotKeypointHead',
    'PersonBBoxHead',
    'PersonBoxMixin',
    'PoseTracker',
    'TorchvisionKeypointRCNN',
    'VideoPoseEstimator',
    'VideoPoseOracle',
]
