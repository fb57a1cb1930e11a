from .augmentation import ContiguousRandomFlip, RandomBBoxScaleRotate
from .keypoint_detection import LoadKeypointAnnotations, PackKeypointInputs
from .mixed_boxes import RandomDetectedBox, RandomDetectorError
from .seeding import SeedAugmentation

__all__ = [
    'ContiguousRandomFlip',
    'LoadKeypointAnnotations',
    'PackKeypointInputs',
    'RandomBBoxScaleRotate',
    'RandomDetectedBox',
    'RandomDetectorError',
    'SeedAugmentation',
]
