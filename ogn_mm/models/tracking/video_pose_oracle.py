"""Tracking with annotations in place of networks, made worse in a known way."""

from zlib import crc32

import numpy as np
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

from ogn_mm.structures.bbox import box_iou
from ogn_mm.structures.bbox.checks import check_count, check_in_range

from .video_pose_estimator import VideoPoseEstimator


@MODELS.register_module()
class VideoPoseOracle(VideoPoseEstimator):
    """A :class:`VideoPoseEstimator` whose pose network knows the annotated poses.

    A box, wherever it comes from, gets the pose of the annotated person that it
    overlaps most; if that is by less than ``min_iou``, keypoints that score 0. So boxes
    carried over by flow work as with a perfect pose network. Without ``detector``
    people are found by their annotations, too, which can be dropped and moved. What
    happens to a person in a frame depends on ``seed``, the video's name, the frame and
    the person alone: different trackers see the same.

    Args:
        drop (float): Share of the annotated people that are not detected, in [0, 1].
            Defaults to 0.
        drop_length (int): A person is missed for so many frames in a row (the video's
            frames are cut into pieces of this length). Defaults to 1.
        box_jitter (float): Standard deviation by which each edge of an annotated box is
            moved, as a share of the box's width or height. Defaults to 0.
        pose_jitter (float): The same of keypoints' x and y, as a share of the root of
            the annotated box's area. Defaults to 0.
        min_iou (float): In (0, 1]. Defaults to 0.3.
        seed (int): >= 0. Defaults to 0.
        **kwargs: As for :class:`VideoPoseEstimator`, without ``pose_estimator``.

    Raises:
        ValueError: An argument is out of its range.
    """

    poses_in_boxes = needs_annotations = True

    def __init__(
        self,
        drop: float = 0.0,
        drop_length: int = 1,
        box_jitter: float = 0.0,
        pose_jitter: float = 0.0,
        min_iou: float = 0.3,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_in_range('drop', drop, 0, 1)
        check_count('drop_length', drop_length)
        check_in_range('box_jitter', box_jitter, 0)
        check_in_range('pose_jitter', pose_jitter, 0)
        check_in_range('min_iou', min_iou, 1e-6, 1)
        check_in_range('seed', seed, 0)
        self.drop, self.drop_length = drop, drop_length
        self.box_jitter, self.pose_jitter = box_jitter, pose_jitter
        self.min_iou = min_iou
        self.seed = seed

    def random(
        self, purpose: str, sample: PoseDataSample, time: int
    ) -> np.random.Generator:
        """Random numbers for a purpose, of a video at a time."""
        names = (purpose, str(sample.video_id))
        return np.random.default_rng(
            [self.seed, *(crc32(name.encode()) for name in names), time]
        )

    def detect(
        self,
        image: np.ndarray,
        sample: PoseDataSample,
        carried: InstanceData | None = None,
    ) -> InstanceData:
        """As the parent, with annotations dropped and moved."""
        found = super().detect(image, sample, carried)
        if self.detector is not None or not len(found):
            return found
        track_ids = np.asarray(sample.gt_instances.track_ids)
        lots = self.random('drop', sample, sample.frame_id // self.drop_length)
        missed = lots.random(track_ids.max() + 1)[track_ids] < self.drop
        sides = found.bboxes[:, 2:] - found.bboxes[:, :2]
        noise = self.random('boxes', sample, sample.frame_id)
        noise = noise.normal(0, 1, found.bboxes.shape)
        shift = self.box_jitter * noise * np.tile(sides, 2)
        found.bboxes = (found.bboxes + shift).astype(np.float32)
        return found[~missed]

    def _run_pose_estimator(self, image, sample, found):
        truth = sample.gt_instances
        boxes, keypoints = np.asarray(truth.bboxes), np.asarray(truth.keypoints)
        sides = boxes[:, 2:] - boxes[:, :2]
        noise = self.random('poses', sample, sample.frame_id)
        noise = noise.normal(0, 1, keypoints.shape)
        scale = self.pose_jitter * np.sqrt(sides.prod(axis=1))
        keypoints = keypoints + noise * scale[:, None, None]
        # somebody who is nowhere, so that there is always somebody to choose
        keypoints = np.concatenate([keypoints, np.zeros((1, *keypoints.shape[1:]))])
        seen = np.asarray(truth.keypoints_visible)
        seen = np.concatenate([seen, np.zeros((1, seen.shape[1]))])
        overlaps = box_iou(found.bboxes[:, None], boxes)
        limits = np.full((len(found), 1), self.min_iou)
        # at equality the annotated person, who comes first, is chosen
        chosen = np.concatenate([overlaps, limits], axis=1).argmax(axis=1)
        found.keypoints = keypoints[chosen].astype(np.float32)
        found.keypoint_scores = seen[chosen].astype(np.float32)
        return found, found.bboxes[:, 2:] - found.bboxes[:, :2]
