"""Boxes that optical flow carries over from the frame before."""

import numpy as np
from mmengine.structures import InstanceData

from ogn_mm.structures.bbox import box_iou
from ogn_mm.structures.bbox.checks import check_in_range

from .pose_tracker import PoseTracker


class Propagation:
    """Boxes of people who were seen in the last frame and are not detected in this one.

    Xiao et al., "Simple Baselines for Human Pose Estimation and Tracking", ECCV 2018,
    section 3.1. Such a box encloses the moved pose. It scores ``decay`` times its
    person's last box, until the tracker's ``score_thr`` ends it: nobody lives on for
    long without being detected.

    Args:
        iou_thr (float): A box that a detection overlaps by more is not used, in [0, 1].
            Defaults to 0.5.
        min_score (float): Keypoints that score less are not enclosed, >= 0. Defaults to
            0.2.
        padding (float): As for :func:`~.association.pose_extents`, >= 0. Defaults to
            0.15, as in SimpleBaseline.
        decay (float): In [0, 1]. Defaults to 0.8.

    Raises:
        ValueError: An argument is out of its range.
    """

    def __init__(
        self,
        iou_thr: float = 0.5,
        min_score: float = 0.2,
        padding: float = 0.15,
        decay: float = 0.8,
    ):
        check_in_range('propagation: iou_thr', iou_thr, 0, 1)
        check_in_range('propagation: min_score', min_score, 0)
        check_in_range('propagation: padding', padding, 0)
        check_in_range('propagation: decay', decay, 0, 1)
        self.iou_thr = iou_thr
        self.min_score = min_score
        self.padding = padding
        self.decay = decay

    def carry_over(self, tracker: PoseTracker) -> InstanceData:
        """Boxes of the people seen in the last frame, whose poses have been moved.

        Returns:
            InstanceData: ``bboxes`` (P, 4) and ``bbox_scores`` (P,), float32, and
            ``propagated`` (P,), all True; numpy.
        """
        columns = tracker.propagate(self.padding, self.min_score)
        scores = columns['bbox_scores'] * self.decay
        return InstanceData(
            bboxes=columns['bboxes'].astype(np.float32),
            bbox_scores=scores.astype(np.float32),
            propagated=np.ones(len(scores), bool),
        )

    def complement(self, found: InstanceData, carried: InstanceData) -> InstanceData:
        """What was detected, and the boxes carried over where nobody was."""
        overlaps = box_iou(carried.bboxes[:, None], found.bboxes)
        missed = (overlaps <= self.iou_thr).all(axis=1)
        return InstanceData.cat([found, carried[missed]])
