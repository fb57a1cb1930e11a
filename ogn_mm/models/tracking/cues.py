"""Cues of identity: similarities of tracks and detections that a config weighs.

A cue is called with the columns of T tracks and those of D detections (see
:class:`PoseTracker`) and returns similarities in [0, 1], (T, D). ``fields`` names the
columns that it needs of a detection.
"""

import math
from numbers import Real

import numpy as np
from mmpose.registry import TASK_UTILS

from ogn_mm.evaluation.functional import pose_oks
from ogn_mm.structures.bbox import box_iou
from ogn_mm.structures.bbox.checks import check_in_range

from .association import feature_similarity


class Cue:
    """What cues have in common.

    Args:
        weight (float): Of this cue among all; above 0 and finite. Defaults to 1.

    Raises:
        ValueError: An argument is out of its range.
    """

    fields: tuple[str, ...] = ()
    needs_flow = False

    def __init__(self, weight: float = 1.0):
        if not isinstance(weight, Real) or not 0 < weight < math.inf:
            raise ValueError(
                f'{type(self).__name__}: weight must be a number above 0, got '
                f'{weight!r}'
            )
        self.weight = weight


@TASK_UTILS.register_module()
class BoxIoU(Cue):
    """Spatial cue (section 4.2): IoU of a track's last box and the detected box."""

    fields = ('bboxes',)

    def __call__(self, tracks: dict, detections: dict) -> np.ndarray:
        return box_iou(tracks['bboxes'][:, None], detections['bboxes'])


@TASK_UTILS.register_module()
class ReIDDistance(Cue):
    """Appearance cue (section 4.2): Euclidean distance of features of length 1.

    Args:
        weight (float): As for :class:`Cue`.
        max_distance (float): Distance from which on the similarity is 0; in between
            it falls evenly from 1. In (0, 2]. Defaults to 1.
    """

    fields = ('features',)

    def __init__(self, weight: float = 1.0, max_distance: float = 1.0):
        super().__init__(weight)
        check_in_range('max_distance', max_distance, 1e-6, 2)
        self.max_distance = max_distance

    def __call__(self, tracks: dict, detections: dict) -> np.ndarray:
        return feature_similarity(
            tracks['features'], detections['features'], self.max_distance
        )


@TASK_UTILS.register_module()
class OKSSimilarity(Cue):
    """Pose cue: OKS of a track's last pose and the detected pose.

    The boxes' areas give the scale.

    Args:
        weight (float): As for :class:`Cue`.
        sigmas (Sequence[float], optional): Of the keypoints, above 0, (K,). Defaults to
            those of the network's data set in :class:`VideoPoseEstimator`, else to
            COCO's.
        min_score (float, optional): Only keypoints that score more in both poses
            count; None: all. Defaults to 0.2.

    Raises:
        ValueError: An argument is out of its range.
    """

    fields = ('bboxes', 'poses')

    def __init__(self, weight: float = 1.0, sigmas=None, min_score: float | None = 0.2):
        super().__init__(weight)
        self.sigmas = None if sigmas is None else np.asarray(sigmas, float)
        if self.sigmas is not None and not (self.sigmas > 0).all():
            raise ValueError(
                f'{type(self).__name__}: sigmas must be above 0, got {sigmas}'
            )
        self.min_score = min_score

    def __call__(self, tracks: dict, detections: dict) -> np.ndarray:
        return self.oks(tracks['poses'], tracks['bboxes'], detections)

    def oks(self, poses: np.ndarray, boxes: np.ndarray, detections: dict) -> np.ndarray:
        areas, others = (
            np.prod(sides[:, 2:] - sides[:, :2], axis=1)
            for sides in (boxes, detections['bboxes'])
        )
        return pose_oks(
            poses, detections['poses'], areas, others, self.sigmas, self.min_score
        )


@TASK_UTILS.register_module()
class FlowOKS(OKSSimilarity):
    """Flow cue: OKS of the detected pose and the track's poses moved by optical flow.

    Xiao et al., "Simple Baselines for Human Pose Estimation and Tracking", ECCV 2018,
    section 3.2: a pose of an earlier frame is moved to the present one. Of a track's
    last poses (``history`` of :class:`PoseTracker`) the most similar one counts.
    """

    needs_flow = True

    def __call__(self, tracks: dict, detections: dict) -> np.ndarray:
        history = tracks['history']
        count, length = history.shape[:2]
        oks = self.oks(
            history.reshape(-1, *history.shape[2:]),
            np.repeat(tracks['bboxes'], length, axis=0),
            detections,
        )
        return oks.reshape(count, length, -1).max(axis=1)
