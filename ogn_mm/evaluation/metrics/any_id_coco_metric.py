from mmdet.evaluation import CocoMetric
from mmdet.registry import METRICS


@METRICS.register_module(name='CocoMetric', force=True)
class AnyIdCocoMetric(CocoMetric):
    """MMDetection's `CocoMetric`, right for an annotation whose id is 0, too.

    It takes the place of upstream's under its name. pycocotools takes 0 for "no match":
    whoever finds that annotation would count as a false positive, so that perfect
    boxes of one person have an AP of 0. Annotation tools do count from 0.

    Args:
        *args: As for `CocoMetric`.
        **kwargs: As for `CocoMetric`.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        annotations = self._coco_api.anns if self._coco_api else {}
        if 0 in annotations:
            # COCO's other indices hold the same dictionary
            person = annotations.pop(0)
            person['id'] = max(annotations, default=0) + 1
            annotations[person['id']] = person
