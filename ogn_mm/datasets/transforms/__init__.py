from .augmentation import ContiguousRandomFlip, RandomBBoxScaleRotate
from .seeding import SeedAugmentation

__all__ = ['ContiguousRandomFlip', 'RandomBBoxScaleRotate', 'SeedAugmentation']
