from .augmentation import ContiguousRandomFlip, RandomBBoxScaleRotate
from .mixed_boxes import RandomDetectedBox, RandomDetectorError
from .seeding import SeedAugmentation

__all__ = [
    'ContiguousRandomFlip',
    'RandomBBoxScaleRotate',
    'RandomDetectedBox',
    'RandomDetectorError',
    'SeedAugmentation',
]
