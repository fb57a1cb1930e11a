from .any_id_coco_metric import AnyIdCocoMetric
from .detection_file import DetectionFile
from .keypoint_detection_metric import KeypointDetectionMetric
from .pose_nms_coco_metric import PoseNMSCocoMetric
from .posetrack_metric import PoseTrackMetric

__all__ = [
    'AnyIdCocoMetric',
    'DetectionFile',
    'KeypointDetectionMetric',
    'PoseNMSCocoMetric',
    'PoseTrackMetric',
]
