from .detection_file import DetectionFile
from .keypoint_detection_metric import KeypointDetectionMetric
from .pose_nms_coco_metric import PoseNMSCocoMetric

__all__ = ['DetectionFile', 'KeypointDetectionMetric', 'PoseNMSCocoMetric']
