"""Scores of poses, and NMS of poses by keypoint similarity (OKS) and box IoU.

These are the paper's "Test details". Scores and OKS are MMPose's to the last bit,
without its Python loops over keypoints and pairs.
"""

import numpy as np

from ogn_mm.structures.bbox import box_iou

COCO_SIGMAS = (
    np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89])
    / 100
    / 10  # rounds as MMPose's own default does
)
BLOCK = 2**14  # pairs of keypoints at a time
UNDERFLOW = 110  # exp(-110) is 0 in float32


def pose_scores(keypoint_scores: np.ndarray, thr: float = 0.2) -> np.ndarray:
    """Mean of each pose's keypoint scores above a threshold, as in ``CocoMetric``.

    Args:
        keypoint_scores (np.ndarray): (N, K).
        thr (float): Keypoints that do not score more are left out. Defaults to 0.2.

    Returns:
        np.ndarray: (N,), 0 where no keypoint is left.
    """
    # MMPose adds scalars to a Python 0, one by one: in float64 under numpy 1, in
    # the scores' own dtype under numpy 2.
    dtype = np.result_type(0 + keypoint_scores.dtype.type(0))
    scores = keypoint_scores.astype(dtype)
    counted = scores > thr
    totals = np.where(counted, scores, 0).cumsum(axis=1)[:, -1]
    return totals / np.maximum(counted.sum(axis=1, dtype=dtype), 1)


def pose_oks(
    poses: np.ndarray,
    others: np.ndarray,
    areas: np.ndarray,
    other_areas: np.ndarray,
    sigmas: np.ndarray | None = None,
    vis_thr: float | None = None,
) -> np.ndarray:
    """OKS of every pose with every other one, as in MMPose's ``oks_nms``.

    Args:
        poses (np.ndarray): x and y in pixels and, for ``vis_thr``, the score of K
            keypoints, (M, K, 2) or (M, K, 3).
        others (np.ndarray): (N, K, 2) or (N, K, 3).
        areas (np.ndarray): In square pixels, >= 0, (M,). The scale of a pair is the
            mean of both areas.
        other_areas (np.ndarray): (N,).
        sigmas (np.ndarray, optional): (K,). Defaults to COCO's.
        vis_thr (float, optional): Only keypoints that score more in both poses
            count. Defaults to None: all count.

    Returns:
        np.ndarray: In [0, 1], float32, (M, N); 0 where no keypoint counts.
    """
    variances = ((COCO_SIGMAS if sigmas is None else sigmas) * 2) ** 2
    scales = ((areas[:, None] + other_areas) / 2).astype(np.float64) + np.spacing(1)
    oks = np.zeros(scales.shape, np.float32)
    x, y, *scores = np.ascontiguousarray(np.moveaxis(poses, -1, 0))
    other_x, other_y, *other_scores = np.ascontiguousarray(np.moveaxis(others, -1, 0))
    squared_gaps = _gaps(x, other_x) ** 2 + _gaps(y, other_y) ** 2
    far = squared_gaps > UNDERFLOW * 2 * variances.max() * scales
    pairs = np.argwhere(~far)
    block = max(1, BLOCK // len(variances))  # whose arrays stay in the cache
    for start in range(0, len(pairs), block):
        one, other = pairs[start : start + block].T
        delta_x, delta_y = other_x[other] - x[one], other_y[other] - y[one]
        exponents = (delta_x**2 + delta_y**2) / variances
        # MMPose divides by a float64 scalar, which numpy 1 and 2 promote differently.
        dtype = np.result_type(exponents, np.float64(1))
        exponents = exponents / scales[one, other, None].astype(dtype) / -2
        # exp is slow where it underflows in float64
        similarities = np.exp(np.maximum(exponents, -700))
        if vis_thr is None:
            oks[one, other] = similarities.sum(axis=-1) / similarities.shape[-1]
        else:
            counted = (other_scores[0][other] > vis_thr) & (scores[0][one] > vis_thr)
            oks[one, other] = _masked_mean(similarities, counted)
    return oks


def _gaps(places: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Between the extents of coordinates (M, K) and (N, K), 0 where they meet."""
    low, high = places.min(axis=1)[:, None], places.max(axis=1)[:, None]
    return np.maximum(others.min(axis=1) - high, low - others.max(axis=1)).clip(0)


def _masked_mean(values: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Mean over the last axis of what is counted, float32; 0 for none."""
    counts = counted.sum(axis=-1)
    means = np.zeros(counts.shape, np.float32)
    # numpy's order of summation, so the last bit, depends on how many are summed
    for count in np.bincount(counts.ravel()).nonzero()[0]:
        if count:
            rows = counts == count
            summands = values[rows][counted[rows]].reshape(-1, count)
            means[rows] = summands.sum(axis=1) / int(count)
    return means


def check_nms_criteria(combine: str, **thresholds: float | None) -> None:
    """Check the arguments that say when a pose is suppressed.

    Args:
        combine (str): As in :func:`pose_nms`.
        **thresholds (float, optional): By the names that the caller gives them.

    Raises:
        ValueError: A threshold is out of range, all are None, or ``combine`` unknown.
    """
    for name, thr in thresholds.items():
        if thr is not None and not 0 <= thr <= 1:
            raise ValueError(f'`{name}` should be in [0, 1] or None, but is {thr}.')
    if all(thr is None for thr in thresholds.values()):
        names = ' and '.join(f'`{name}`' for name in thresholds)
        raise ValueError(f'{names} should not both be None.')
    if combine not in ('or', 'and'):
        raise ValueError(f"`combine` should be 'or' or 'and', but is {combine!r}.")


def _check_poses(
    arrays: dict[str, np.ndarray], num_keypoints: int, with_scores: bool
) -> None:
    """Raise ValueError unless the arrays fit each other and are finite."""
    num_poses, channels = (arrays['keypoints'].shape[axis] for axis in (0, -1))
    if with_scores:
        channels = 3
    shapes = {
        'keypoints': (num_poses, num_keypoints, channels),
        'scores': (num_poses,),
        'areas': (num_poses,),
        'bboxes': (num_poses, 4),
    }
    for name, array in arrays.items():
        if array.shape != shapes[name]:
            raise ValueError(
                f'`{name}` should have the shape {shapes[name]}, but has {array.shape}.'
            )
        if not np.isfinite(array).all():
            raise ValueError(f'`{name}` should be finite.')


def pose_nms(
    keypoints: np.ndarray,
    scores: np.ndarray,
    areas: np.ndarray,
    bboxes: np.ndarray | None = None,
    oks_thr: float | None = 0.75,
    iou_thr: float | None = 0.6,
    combine: str = 'or',
    sigmas: np.ndarray | None = None,
    vis_thr: float | None = None,
) -> np.ndarray:
    """Keep the best of the poses that lie on one another ("Test details").

    Poses are visited by falling score. A pose is suppressed if its OKS or its IoU
    with a pose kept before exceeds the threshold; one that equals it stays. With
    ``iou_thr=None`` the result is that of MMPose's ``oks_nms``; as there, NumPy's
    default sort orders equal scores.

    Args:
        keypoints (np.ndarray): x and y in pixels and, for ``vis_thr``, the score,
            (N, K, 2) or (N, K, 3).
        scores (np.ndarray): Of the poses, (N,).
        areas (np.ndarray): In square pixels, >= 0, for OKS, (N,).
        bboxes (np.ndarray, optional): The detector's boxes before they are extended,
            xyxy, (N, 4). Needed unless ``iou_thr`` is None.
        oks_thr (float, optional): In [0, 1]; None leaves OKS out. Defaults to 0.75.
        iou_thr (float, optional): In [0, 1]; None leaves IoU out. Defaults to 0.6.
        combine (str): With ``'or'`` one criterion is enough, with ``'and'`` both must
            be met. Defaults to ``'or'``.
        sigmas (np.ndarray, optional): (K,). Defaults to COCO's.
        vis_thr (float, optional): As in :func:`pose_oks`.

    Returns:
        np.ndarray: Indices of the kept poses by falling score, int.

    Raises:
        ValueError: Thresholds out of range or both None; arrays that do not fit each
            other or are not finite.
    """
    check_nms_criteria(combine, oks_thr=oks_thr, iou_thr=iou_thr)
    sigmas = COCO_SIGMAS if sigmas is None else sigmas
    arrays = {'keypoints': keypoints, 'scores': scores, 'areas': areas}
    if iou_thr is not None:
        if bboxes is None:
            raise ValueError('`bboxes` are needed unless `iou_thr` is None.')
        arrays['bboxes'] = bboxes
    _check_poses(arrays, len(sigmas), vis_thr is not None)

    def overlaps(best, rest):
        """Which of the rest each of the best would suppress, bool."""
        criteria = []
        if oks_thr is not None:
            poses, others = keypoints[best], keypoints[rest]
            oks = pose_oks(poses, others, areas[best], areas[rest], sigmas, vis_thr)
            criteria.append(oks > oks_thr)
        if iou_thr is not None:
            criteria.append(box_iou(bboxes[best, None], bboxes[rest]) > iou_thr)
        return (np.logical_or if combine == 'or' else np.logical_and).reduce(criteria)

    order = np.argsort(scores)[::-1]
    kept = []
    while len(order):
        block = max(1, BLOCK // (len(order) * len(sigmas)))
        best = order[:block]
        suppresses = overlaps(best, order)
        alive = np.ones(len(order), bool)
        for i, pose in enumerate(best):
            if alive[i]:
                kept.append(pose)
                alive &= ~suppresses[i]
        order = order[block:][alive[block:]]
    return np.array(kept, int)
