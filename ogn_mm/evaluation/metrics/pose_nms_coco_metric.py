"""COCO keypoint metric whose NMS takes OKS and IoU, as the paper tests."""

from collections.abc import Sequence
from itertools import chain

import numpy as np
from mmengine.logging import print_log
from mmpose.evaluation import CocoMetric
from mmpose.registry import METRICS
from mmpose.structures.bbox import bbox_xywh2xyxy

from ogn_mm.datasets.categories import is_known, leave_out_boxes, listed

from ..functional import check_nms_criteria, pose_nms, pose_scores, with_every_pose

NMS_MODES = ('oks_iou_nms', 'oks_nms', 'soft_oks_nms', 'none')


@METRICS.register_module()
class PoseNMSCocoMetric(CocoMetric):
    """MMPose's `CocoMetric` with the paper's pose NMS, for hundreds of boxes an image.

    By default it is the paper's test protocol ("Test details"): the score is box score
    times pose score, and a pose is suppressed if it has OKS > 0.75 or IoU > 0.6 with a
    better one that is kept. IoU is between the boxes that the predictions carry: in
    top-down models the detector's, before padding and extension.

    Annotations of categories without keypoints do not count, see
    `ogn_mm.datasets.categories.keypoint_categories`.

    In MMPose's own modes the figures are those of `CocoMetric` to the last digit;
    ``'oks_nms'`` and the scores are computed without its Python loops. How many poses
    these two kinds of NMS got and kept is logged.

    Args:
        *args: As for `CocoMetric`.
        score_mode (str): As for `CocoMetric`. Defaults to ``'bbox_keypoint'``.
        nms_mode (str): ``'oks_iou_nms'``, or one of MMPose's ``'oks_nms'``,
            ``'soft_oks_nms'`` and ``'none'``. Defaults to ``'oks_iou_nms'``.
        nms_thr (float, optional): OKS threshold in [0, 1]; at 1 OKS suppresses
            nothing. Defaults to 0.75 in ``'oks_iou_nms'``, else to MMPose's 0.9.
        iou_thr (float): IoU threshold of ``'oks_iou_nms'``. Defaults to 0.6.
        combine (str): ``'or'`` if exceeding one threshold suppresses, ``'and'`` if
            both must be exceeded, in ``'oks_iou_nms'``. Defaults to ``'or'``.
        **kwargs: As for `CocoMetric`. With ``format_only`` the file holds the four
            fields of COCO's results format and no boxes. COCOeval then takes a pose's
            area from its keypoints, so AP (M) and (L) differ from those computed here.

    Raises:
        ValueError: Unknown modes, thresholds out of range; predictions that are not
            finite, have no boxes in ``'oks_iou_nms'``, are of a category that the
            annotation file has not, or would be lost because several poses of a sample
            share one id.
    """

    def __init__(
        self,
        *args,
        score_mode: str = 'bbox_keypoint',
        nms_mode: str = 'oks_iou_nms',
        nms_thr: float | None = None,
        iou_thr: float = 0.6,
        combine: str = 'or',
        **kwargs,
    ):
        if nms_mode not in NMS_MODES:
            listed = ', '.join(NMS_MODES)
            raise ValueError(
                f'`nms_mode` should be one of {listed}, but is {nms_mode!r}.'
            )
        if nms_thr is None and nms_mode == 'oks_iou_nms':
            nms_thr = 0.75
        if nms_thr is not None:
            kwargs['nms_thr'] = nms_thr
        # What is done here instead, the parent is told to leave out.
        self.weighs_boxes = score_mode == 'bbox_keypoint'
        self.selects_poses = nms_mode in ('oks_iou_nms', 'oks_nms')
        super().__init__(
            *args,
            score_mode='bbox' if self.weighs_boxes else score_mode,
            nms_mode='none' if self.selects_poses else nms_mode,
            **kwargs,
        )
        self.iou_thr = iou_thr if nms_mode == 'oks_iou_nms' else None
        self.combine = combine
        self.has_unscored = False  # poses without a positive score, of those written
        if self.selects_poses:
            check_nms_criteria(combine, nms_thr=self.nms_thr, iou_thr=self.iou_thr)

    def process(self, data_batch: Sequence[dict], data_samples: Sequence[dict]) -> None:
        """Take a batch's predictions, and check them."""
        first = len(self.results)
        super().process(data_batch, data_samples)
        for pred, _ in self.results[first:]:
            self.check(pred)

    def check(self, pred: dict) -> None:
        """Raise ValueError for predictions that would spoil the result or get lost."""
        place = f'predictions of sample {pred["id"]} in image {pred["img_id"]}'
        if self.iou_thr is not None and 'bbox' not in pred:
            raise ValueError(f'{place}: no `bboxes`, which the IoU of poses needs.')
        for field in ('keypoints', 'keypoint_scores', 'bbox_scores', 'bbox'):
            if field in pred and not np.isfinite(pred[field]).all():
                raise ValueError(f'{place}: `{field}` should be finite.')
        known = self.coco.cats if self.coco else None
        if known and not is_known(pred['category_id'], known):
            names = {i: category['name'] for i, category in known.items()}
            raise ValueError(
                f'{place}: their `category_id`, {pred["category_id"]}, is not in the '
                f'annotation file, which has {listed(names)}.'
            )
        # Of equal ids MMPose keeps one, as if they came from padding the last batch.
        if len(pred['keypoints']) > 1 and not isinstance(pred['id'], Sequence):
            raise ValueError(
                f'{place}: {len(pred["keypoints"])} poses share one `id`, so that all '
                'but one would be lost; the `id` of such a sample should be a list.'
            )

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Measure without what has no keypoints."""
        if self.coco:
            leave_out_boxes(self.coco)
        return super().compute_metrics(results)

    def _sort_and_unique_bboxes(self, kpts: dict, key: str = 'id') -> dict:
        """Also multiply each box score by its pose score."""
        kpts = super()._sort_and_unique_bboxes(kpts, key)
        if self.weighs_boxes:
            for instances in kpts.values():
                scores = stack(instances, 'bbox_score') * pose_scores(
                    stack(instances, 'keypoint_scores'), self.keypoint_score_thr
                )
                for instance, score in zip(instances, scores, strict=True):
                    instance['bbox_score'] = score
        return kpts

    def select(self, instances: list[dict]) -> list[dict]:
        """The poses of an image that NMS keeps, best first.

        Args:
            instances (list[dict]): Each with ``keypoints`` (K, 3), ``score``, ``area``
                and, where IoU counts, ``bbox`` (xywh).
        """
        bboxes = None
        if self.iou_thr is not None:
            bboxes = bbox_xywh2xyxy(stack(instances, 'bbox').astype(np.float64))
        kept = pose_nms(
            stack(instances, 'keypoints'),
            stack(instances, 'score'),
            stack(instances, 'area'),
            bboxes,
            oks_thr=self.nms_thr,
            iou_thr=self.iou_thr,
            combine=self.combine,
            sigmas=self.dataset_meta['sigmas'],
        )
        return [instances[i] for i in kept]

    def results2json(self, keypoints: dict[int, list], outfile_prefix: str) -> None:
        """Write what NMS keeps; the parent calls this with all scored poses."""
        if self.selects_poses:
            kept = {image: self.select(poses) for image, poses in keypoints.items()}
            log_counts(keypoints, kept)
            keypoints = kept
        if self.format_only:
            for instance in chain.from_iterable(keypoints.values()):
                instance.pop('bbox', None)
        self.has_unscored = any(
            (pose['keypoints'][:, 2] <= 0).all()
            for pose in chain.from_iterable(keypoints.values())
        )
        super().results2json(keypoints, outfile_prefix)

    def _do_python_keypoint_eval(self, outfile_prefix: str) -> list:
        """Also of poses none of whose keypoints has a positive score."""
        if not self.has_unscored:  # the file need not be read twice
            return super()._do_python_keypoint_eval(outfile_prefix)
        with with_every_pose(outfile_prefix) as prefix:
            return super()._do_python_keypoint_eval(prefix)


def stack(instances: list[dict], field: str) -> np.ndarray:
    """One field of all instances, (N, ...)."""
    return np.array([instance[field] for instance in instances])


def log_counts(found: dict[int, list], kept: dict[int, list]) -> None:
    """Log how many of the poses found in each image were kept."""
    before, after = (sum(map(len, poses.values())) for poses in (found, kept))
    message = f'Pose NMS kept {after} of {before} poses in {len(found)} images'
    if found:
        each = f'{after / len(found):.1f} of {before / len(found):.1f}'
        message += f', {each} an image'
    print_log(message, logger='current')
