from .keypoint_detection_inferencer import KeypointDetectionInferencer
from .ogn_inferencer import OGNInferencer, list_images

__all__ = ['KeypointDetectionInferencer', 'OGNInferencer', 'list_images']
