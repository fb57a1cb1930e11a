"""PoseTrack's joints, and how COCO's keypoints become them."""

import numpy as np

# The ids of PoseTrack 2017's files, which the official evaluator uses for all years.
POSETRACK17_JOINTS = (
    'right_ankle', 'right_knee', 'right_hip', 'left_hip', 'left_knee', 'left_ankle',
    'right_wrist', 'right_elbow', 'right_shoulder', 'left_shoulder', 'left_elbow',
    'left_wrist', 'head_bottom', 'nose', 'head_top',
)  # fmt: skip
# The order of the files since 2018, which never label the ears.
POSETRACK18_JOINTS = (
    'nose', 'head_bottom', 'head_top', 'left_ear', 'right_ear', 'left_shoulder',
    'right_shoulder', 'left_elbow', 'right_elbow', 'left_wrist', 'right_wrist',
    'left_hip', 'right_hip', 'left_knee', 'right_knee', 'left_ankle', 'right_ankle',
)  # fmt: skip
# Indices that mean the same joint in COCO: all but COCO's eyes, which are at 1 and 2.
SHARED_WITH_COCO = (0, *range(3, 17))

NOSE_AND_EARS, SHOULDERS = [0, 3, 4], [5, 6]
# How far head_bottom and head_top are from between the shoulders, in units of the way
# to the head's centre. An upright adult has the shoulder joints at 0.81 of their
# stature, the chin, which is head_bottom's height, at 0.87, nose and ears at 0.92 on
# average, the top of the head at 1.
HEAD_BOTTOM, HEAD_TOP = 0.5, 1.75


def coco_to_posetrack(keypoints: np.ndarray, scores: np.ndarray):
    """Turn poses with COCO's keypoints into poses with PoseTrack 2018's.

    For networks trained on COCO that are evaluated on PoseTrack. Fifteen of the
    joints are the same, and the eyes are dropped. With s the midpoint of the shoulders
    and c the head's centre,

        head_bottom = s + 0.5 (c - s),    head_top = s + 1.75 (c - s),

    where c is the mean of nose and ears weighted by their scores, so that an ear that
    is not seen does not count. It is customary to extrapolate from shoulders and nose
    alone (head_bottom = s, head_top = 2 nose - s); the ears keep the head's axis where
    a face is seen from the side. The scores of both joints are the mean of the
    shoulders' mean score and the head's score, which is weighted in the same way.

    Args:
        keypoints (np.ndarray): x, y of COCO's 17 keypoints, in any unit, (M, 17, 2).
        scores (np.ndarray): Their scores, 0 or more, (M, 17).

    Returns:
        tuple[np.ndarray, np.ndarray]: Keypoints in the order of `POSETRACK18_JOINTS`,
        (M, 17, 2), and their scores, (M, 17); new arrays of the arguments' dtypes.

    Raises:
        ValueError: The arguments have other shapes.
    """
    if keypoints.shape[1:] != (17, 2) or scores.shape != keypoints.shape[:2]:
        raise ValueError(
            'expected keypoints (M, 17, 2) and scores (M, 17), got '
            f'{keypoints.shape} and {scores.shape}'
        )
    # Without any score all three count alike.
    weights = np.maximum(scores[:, NOSE_AND_EARS], 1e-6)
    weights = weights / weights.sum(axis=1, keepdims=True)
    centre = (weights[..., None] * keypoints[:, NOSE_AND_EARS]).sum(axis=1)
    shoulders = keypoints[:, SHOULDERS].mean(axis=1)
    head_score = (weights * scores[:, NOSE_AND_EARS]).sum(axis=1)

    keypoints, scores = keypoints.copy(), scores.copy()
    for joint, way in (('head_bottom', HEAD_BOTTOM), ('head_top', HEAD_TOP)):
        index = POSETRACK18_JOINTS.index(joint)
        keypoints[:, index] = shoulders + way * (centre - shoulders)
        scores[:, index] = (scores[:, SHOULDERS].mean(axis=1) + head_score) / 2
    return keypoints, scores
