from .augmentation import ContiguousRandomFlip, RandomBBoxScaleRotate
from .keypoint_detection import LoadKeypointAnnotations, PackKeypointInputs
from .loading import LoadCheckedImage, use_checked_images
from .mixed_boxes import RandomDetectedBox, RandomDetectorError
from .seeding import SeedAugmentation

__all__ = [
    'ContiguousRandomFlip',
    'LoadCheckedImage',
    'LoadKeypointAnnotations',
    'PackKeypointInputs',
    'RandomBBoxScaleRotate',
    'RandomDetectedBox',
    'RandomDetectorError',
    'SeedAugmentation',
    'use_checked_images',
]
