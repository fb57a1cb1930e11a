"""Procedurally generated people, in images in COCO's format and PoseTrack's videos.

`body` says what people are and where their joints lie, `drawing` draws one, `scene`
draws several and annotates them, `dataset` writes a data set of images. `motion` says
how people and cameras move, `video` draws and labels frames, `video_dataset` writes
them.
"""

from .body import Body, Person
from .dataset import generate_dataset
from .scene import Prop, generate_image, render
from .video import generate_video
from .video_dataset import generate_videos

__all__ = [
    'Body',
    'Person',
    'Prop',
    'generate_dataset',
    'generate_image',
    'generate_video',
    'generate_videos',
    'render',
]
