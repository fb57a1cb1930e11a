from . import functional, metrics
from .offline import evaluate_predictions, find_coco_metric, load_test_config

__all__ = [
    'evaluate_predictions',
    'find_coco_metric',
    'functional',
    'load_test_config',
    'metrics',
]
