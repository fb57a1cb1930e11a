from .detection_file import DetectionFile
from .keypoint_detection_metric import KeypointDetectionMetric
from .pose_nms_coco_metric import PoseNMSCocoMetric
from .posetrack_metric import PoseTrackMetric

__all__ = [
    'DetectionFile',
    'KeypointDetectionMetric',
    'PoseNMSCocoMetric',
    'PoseTrackMetric',
]
