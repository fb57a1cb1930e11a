from .detection_file import DetectionFile
from .pose_nms_coco_metric import PoseNMSCocoMetric

__all__ = ['DetectionFile', 'PoseNMSCocoMetric']
