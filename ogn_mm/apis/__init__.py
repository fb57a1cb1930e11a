from .keypoint_detection_inferencer import KeypointDetectionInferencer
from .ogn_inferencer import OGNInferencer, list_images
from .video_io import Frame, FrameReader, FrameWriter, is_webcam

__all__ = [
    'Frame',
    'FrameReader',
    'FrameWriter',
    'KeypointDetectionInferencer',
    'OGNInferencer',
    'is_webcam',
    'list_images',
]
