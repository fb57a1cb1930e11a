from .ogn_inferencer import OGNInferencer, list_images
from .video_io import Frame, FrameReader, FrameWriter

__all__ = ['Frame', 'FrameReader', 'FrameWriter', 'OGNInferencer', 'list_images']
