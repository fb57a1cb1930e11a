from .detection_file import DetectionFile

__all__ = ['DetectionFile']
