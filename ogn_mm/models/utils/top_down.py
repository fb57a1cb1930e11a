"""Poses of the people of one image by a top-down network (section 4.1)."""

from collections.abc import Callable, Sequence

import numpy as np
from mmengine.dataset import pseudo_collate
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample, merge_data_samples

from ogn_mm.evaluation.functional import pose_nms, pose_scores


def pack_people(
    pipeline: Callable,
    image: np.ndarray,
    path: str,
    boxes: np.ndarray,
    scores: np.ndarray,
    meta: dict,
) -> list[dict]:
    """Cut people out of an image, ready for a network.

    Args:
        pipeline (Callable): Of the network's test data; may load the image.
        image (np.ndarray): BGR, (H, W, 3).
        path (str): Of the image; goes into the samples.
        boxes (np.ndarray): x1, y1, x2, y2, (N, 4).
        scores (np.ndarray): Of the boxes, (N,).
        meta (dict): Of the network's data set.

    Returns:
        list[dict]: ``inputs`` and ``data_samples`` of each person.
    """
    size = image.shape[:2]
    common = dict(img=image, img_path=path, img_shape=size, ori_shape=size) | meta
    return [
        pipeline(common | dict(bbox=box[None], bbox_score=score[None]))
        for box, score in zip(boxes, scores, strict=True)
    ]


def predict_people(
    model, people: Sequence[dict], people_per_batch: int
) -> PoseDataSample:
    """Poses of one image's people, in their order.

    Args:
        model: MMPose's top-down pose estimator.
        people (Sequence[dict]): Of :func:`pack_people`, at least one.
        people_per_batch (int): People that the network sees at once.

    Returns:
        PoseDataSample: With all people's instances.
    """
    samples = []
    for start in range(0, len(people), people_per_batch):
        batch = pseudo_collate(people[start : start + people_per_batch])
        samples += model.test_step(batch)
    return merge_data_samples(samples)


def choose_poses(
    poses: InstanceData, areas: np.ndarray, sigmas: np.ndarray, **thresholds
) -> np.ndarray:
    """Score an image's poses, box score times pose score, and suppress doubles.

    Args:
        poses (InstanceData): N instances with ``keypoints``, ``keypoint_scores``,
            ``bboxes`` and ``bbox_scores``; they get ``pose_scores`` (N,).
        areas (np.ndarray): For OKS, square pixels, (N,).
        sigmas (np.ndarray): Of the keypoints, (K,).
        **thresholds: Further arguments of
            :func:`~ogn_mm.evaluation.functional.pose_nms`.

    Returns:
        np.ndarray: Indices of the poses that stay, by falling score.
    """
    poses.pose_scores = poses.bbox_scores * pose_scores(poses.keypoint_scores)
    return pose_nms(
        np.concatenate([poses.keypoints, poses.keypoint_scores[..., None]], axis=-1),
        poses.pose_scores,
        areas,
        poses.bboxes,
        sigmas=sigmas,
        **thresholds,
    )
