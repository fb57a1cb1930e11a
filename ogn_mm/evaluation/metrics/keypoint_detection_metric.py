"""COCO keypoint metric for detectors that find boxes and keypoints together."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from mmpose.registry import METRICS

from ogn_mm.datasets.categories import choose_category

from .pose_nms_coco_metric import PoseNMSCocoMetric


@METRICS.register_module()
class KeypointDetectionMetric(PoseNMSCocoMetric):
    """Keypoint AP of MMDetection's predictions, to stand beside its box AP.

    In the evaluator's list after MMDetection's `CocoMetric`, which sees the same
    predictions and gives the box AP. As in Mask R-CNN, a pose scores what its box
    scores and there is no NMS of poses, unless asked for. People without labelled
    keypoints count for the box AP alone.

    ``pred_instances`` of a sample hold ``bboxes`` (M, 4), ``scores`` (M,), ``labels``
    (M,), ``keypoints`` (M, K, 2) and ``keypoint_scores`` (M, K), in pixels of the
    original image. Only the first of the data set's classes, the person or whatever
    else has the keypoints, counts.

    Args:
        ann_file (str): COCO annotation file.
        score_mode (str): As for `PoseNMSCocoMetric`. Defaults to ``'bbox'``.
        nms_mode (str): As for `PoseNMSCocoMetric`. Defaults to ``'none'``.
        **kwargs: As for `PoseNMSCocoMetric`.

    Raises:
        ValueError: Predictions lack a field, or are not finite; the annotations have no
            category of this class.
    """

    def __init__(
        self,
        ann_file: str,
        *,
        score_mode: str = 'bbox',
        nms_mode: str = 'none',
        **kwargs,
    ):
        super().__init__(
            ann_file=ann_file, score_mode=score_mode, nms_mode=nms_mode, **kwargs
        )

    @cached_property
    def category_id(self) -> int:
        """Of the first class, in the annotation file."""
        name = self.dataset_meta['classes'][0]
        return choose_category(self.coco.dataset, self.ann_file, name)['id']

    def process(self, data_batch: Sequence[dict], data_samples: Sequence[dict]) -> None:
        """Take a batch's predictions as MMPose's bottom-up models give theirs."""
        samples = [
            dict(
                img_id=sample['img_id'],
                category_id=self.category_id,
                pred_instances=(found := find_people(sample)),
                id=list(range(len(found['keypoints']))),
                gt_instances={},
            )
            for sample in data_samples
        ]
        super().process(data_batch, samples)


def find_people(sample: dict) -> dict[str, np.ndarray]:
    """The people among a sample's predictions, under the names that MMPose uses.

    Raises:
        ValueError: A field is missing.
    """
    instances = sample['pred_instances']
    names = dict(
        bboxes='bboxes',
        scores='bbox_scores',
        keypoints='keypoints',
        keypoint_scores='keypoint_scores',
    )
    for field in names:
        if field not in instances:
            raise ValueError(
                f'predictions in image {sample["img_id"]}: there is no `{field}`'
            )
    person = instances['labels'] == 0
    return {
        name: instances[field][person].detach().cpu().numpy()
        for field, name in names.items()
    }
