"""Data sets and their transforms."""

from . import transforms
from .coco_dataset import ValidatedCocoDataset

__all__ = ['ValidatedCocoDataset', 'transforms']
