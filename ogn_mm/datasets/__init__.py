"""Data sets, their transforms and samplers."""

from . import transforms
from .coco_dataset import ValidatedCocoDataset
from .coco_keypoint_detection import CocoKeypointDetectionDataset
from .combined_dataset import CheckedCombinedDataset
from .mixed_box_dataset import MixedBoxCocoDataset
from .posetrack import PoseTrackVideoDataset
from .roi_dataset import ImageROIDataset, flatten_rois
from .samplers import FullBatchSampler, VideoSampler

__all__ = [
    'CheckedCombinedDataset',
    'CocoKeypointDetectionDataset',
    'FullBatchSampler',
    'ImageROIDataset',
    'MixedBoxCocoDataset',
    'PoseTrackVideoDataset',
    'ValidatedCocoDataset',
    'VideoSampler',
    'flatten_rois',
    'transforms',
]
