from . import functional, metrics
from .offline import (
    check_keypoint_results,
    evaluate_predictions,
    find_coco_metric,
    load_test_config,
)

__all__ = [
    'check_keypoint_results',
    'evaluate_predictions',
    'find_coco_metric',
    'functional',
    'load_test_config',
    'metrics',
]
