"""Procedurally generated people in COCO's keypoint format.

`body` says what people are and where their joints lie, `drawing` draws one, `scene`
draws several and annotates them, `dataset` writes a data set.
"""

from .body import Body, Person
from .dataset import generate_dataset
from .scene import Prop, generate_image, render

__all__ = [
    'Body',
    'Person',
    'Prop',
    'generate_dataset',
    'generate_image',
    'render',
]
