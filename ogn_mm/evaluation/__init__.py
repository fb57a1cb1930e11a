from . import functional, metrics
from .offline import evaluate_predictions, find_coco_metric

__all__ = ['evaluate_predictions', 'find_coco_metric', 'functional', 'metrics']
