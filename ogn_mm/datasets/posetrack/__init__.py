"""PoseTrack 2017, 2018 and 2021: files, their conversion to COCO's format, videos."""

from .annotations import Sequence, read_sequence
from .coco import read_folder, sequences_to_coco
from .files import sequence_files
from .video_dataset import PoseTrackVideoDataset

__all__ = [
    'PoseTrackVideoDataset',
    'Sequence',
    'read_folder',
    'read_sequence',
    'sequence_files',
    'sequences_to_coco',
]
