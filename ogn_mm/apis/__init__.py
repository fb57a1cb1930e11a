from ogn_mm.datasets.images import list_images

from .keypoint_detection_inferencer import KeypointDetectionInferencer
from .offset_picture import draw_predicted_offsets, find_true_poses
from .ogn_inferencer import OGNInferencer
from .video_io import Frame, FrameReader, FrameWriter, is_webcam

__all__ = [
    'Frame',
    'FrameReader',
    'FrameWriter',
    'KeypointDetectionInferencer',
    'OGNInferencer',
    'draw_predicted_offsets',
    'find_true_poses',
    'is_webcam',
    'list_images',
]
