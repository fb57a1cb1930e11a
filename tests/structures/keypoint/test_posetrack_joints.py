"""PoseTrack's joints and the way from COCO's keypoints to them."""

import numpy as np
import pytest
from mmpose.datasets import CocoDataset, PoseTrack18Dataset

from ogn_mm.structures.keypoint import (
    POSETRACK17_JOINTS,
    POSETRACK18_JOINTS,
    SHARED_WITH_COCO,
    coco_to_posetrack,
)

BOTTOM, TOP = POSETRACK18_JOINTS.index('head_bottom'), 2


def person():
    """Shoulders at (4, 20) and (16, 20), nose at (12, 10), ears at (6, 8), (12, 9)."""
    keypoints = np.zeros((1, 17, 2))
    keypoints[0] = np.c_[np.arange(17), 100 + np.arange(17)]
    keypoints[0, [0, 3, 4, 5, 6]] = (12, 10), (6, 8), (12, 9), (4, 20), (16, 20)
    scores = np.full((1, 17), 0.5)
    return keypoints, scores


def test_names_are_mmposes_and_shared_joints_have_one_index():
    names = PoseTrack18Dataset._load_metainfo()['keypoint_id2name']
    assert [names[k] for k in range(17)] == list(POSETRACK18_JOINTS)
    coco = CocoDataset._load_metainfo()['keypoint_id2name']
    same = [k for k in range(17) if coco[k] == POSETRACK18_JOINTS[k]]
    assert same == list(SHARED_WITH_COCO)
    assert set(POSETRACK18_JOINTS) - set(POSETRACK17_JOINTS) == {
        'left_ear',
        'right_ear',
    }
    assert len(POSETRACK17_JOINTS) == 15
    assert POSETRACK17_JOINTS[12:] == ('head_bottom', 'nose', 'head_top')


def test_values_computed_by_hand():
    keypoints, scores = person()
    found, found_scores = coco_to_posetrack(keypoints, scores)
    # centre (10, 9), between the shoulders (10, 20)
    np.testing.assert_allclose(found[0, BOTTOM], (10, 14.5))
    np.testing.assert_allclose(found[0, TOP], (10, 0.75))
    np.testing.assert_allclose(found_scores, scores)
    shared = list(SHARED_WITH_COCO)
    np.testing.assert_array_equal(found[:, shared], keypoints[:, shared])


def test_an_unseen_ear_does_not_count():
    keypoints, scores = person()
    scores[0, [0, 3, 4, 5, 6]] = 0.6, 0, 0.3, 1, 0.8
    keypoints[0, 3] = 1000, 1000
    found, found_scores = coco_to_posetrack(keypoints, scores)
    # centre (2 (12, 10) + (12, 9)) / 3, score (2 * 0.6 + 0.3) / 3 = 0.5
    np.testing.assert_allclose(found[0, BOTTOM], (11, (20 + 29 / 3) / 2), rtol=1e-4)
    np.testing.assert_allclose(found_scores[0, [BOTTOM, TOP]], 0.7, rtol=1e-4)


@pytest.mark.parametrize('angle', [0.3, 2.0])
def test_turns_and_scales_with_the_person(angle):
    keypoints, scores = person()
    turn = 3 * np.array(
        ((np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle)))
    )
    moved, _ = coco_to_posetrack(keypoints @ turn + 7, scores)
    still, _ = coco_to_posetrack(keypoints, scores)
    np.testing.assert_allclose(moved, still @ turn + 7)


def test_nobody_no_scores_and_dtypes():
    for people in (0, 2):
        keypoints = np.ones((people, 17, 2), np.float32)
        found, scores = coco_to_posetrack(keypoints, np.zeros((people, 17), np.float32))
        assert found.shape == (people, 17, 2) and scores.shape == (people, 17)
        assert found.dtype == scores.dtype == np.float32
        np.testing.assert_allclose(found, 1, rtol=1e-6)
    assert found is not keypoints


def test_shapes_are_checked():
    with pytest.raises(ValueError, match=r'got \(2, 15, 2\) and \(2, 17\)'):
        coco_to_posetrack(np.zeros((2, 15, 2)), np.zeros((2, 17)))
