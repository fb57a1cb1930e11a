"""Annotations in place of networks: who is missed, and who comes back."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

FLOW = dict(flow=dict(type='DISFlow'), propagation=dict())
CORNERS = np.array([[20, 20], [120, 30]], np.float32)


def build(**config):
    tracker = dict(type='PoseTracker', score_thr=0.2)
    return MODELS.build(dict(type='VideoPoseOracle', tracker=tracker) | config).eval()


def run(model, frames=30):
    """Instances of each frame: two people who stand before a patterned wall."""
    image = np.random.default_rng(0).integers(0, 255, (140, 200, 3), np.uint8)
    keypoints = CORNERS[:, None] + np.random.default_rng(1).uniform(0, 60, (2, 17, 2))
    results = []
    for t in range(frames):
        sample = PoseDataSample(
            metainfo=dict(
                img_path=f'{t}.jpg', img_id=t, ori_shape=image.shape[:2], video_id='a',
                frame_id=t, video_length=frames,
            )
        )  # fmt: skip
        sample.gt_instances = InstanceData(
            bboxes=np.concatenate([CORNERS, CORNERS + 60], axis=1),
            keypoints=keypoints.astype(np.float32),
            keypoints_visible=np.ones((2, 17), np.float32),
            track_ids=np.array([3, 8]),
        )
        inputs = torch.from_numpy(image).permute(2, 0, 1)
        model.test_step(dict(inputs=[inputs], data_samples=[sample]))
        results.append(sample.pred_instances)
    return results, keypoints


def test_without_perturbation_it_gives_the_annotations():
    results, keypoints = run(build(), frames=3)
    for found in results:
        order = found.bboxes[:, 0].argsort()
        np.testing.assert_allclose(found.keypoints[order], keypoints, atol=1e-4)
        assert len(set(found.track_ids)) == 2


def test_people_are_missed_alike_by_all_trackers():
    counts = [
        [len(found) for found in run(build(drop=0.3, **options))[0]]
        for options in ({}, {}, dict(box_jitter=0.02, pose_jitter=0.01))
    ]
    assert counts[0] == counts[1] == counts[2]
    assert 0.5 < sum(counts[0]) / 60 < 0.9
    other = [len(found) for found in run(build(drop=0.3, seed=1))[0]]
    assert other != counts[0]


def test_people_are_missed_for_several_frames():
    results, _ = run(build(drop=0.5, drop_length=5))
    counts = np.array([len(found) for found in results]).reshape(-1, 5)
    assert (counts == counts[:, :1]).all()
    assert len(set(counts[:, 0])) > 1


def test_errors_are_independent_of_each_other():
    sample = PoseDataSample(metainfo=dict(video_id='a', frame_id=3))
    drawn = [
        model.random(purpose, sample, 3).random()
        for purpose in ('drop', 'boxes', 'poses')
        for model in (build(), build())
    ]
    assert drawn[::2] == drawn[1::2]
    assert len(set(drawn)) == 3


def test_keypoints_that_score_little_can_be_left_out_of_nms():
    """Both stand on one another by half of their keypoints, which score less."""
    model = build(pose_nms_cfg=dict(oks_thr=0.4, iou_thr=None, vis_thr=0.5))
    keypoints = np.random.default_rng(0).uniform(0, 60, (2, 17, 2))
    keypoints[1, 8:] = keypoints[0, 8:]
    scores = np.ones((2, 17))
    scores[:, 8:] = 0.4
    found = InstanceData(
        keypoints=keypoints,
        keypoint_scores=scores,
        bboxes=np.zeros((2, 4)),
        bbox_scores=np.ones(2),
    )
    areas = np.full(2, 400.0)
    assert len(model._choose(found, areas)) == 2
    model.pose_nms_cfg = dict(oks_thr=0.4, iou_thr=None)
    assert len(model._choose(found, areas)) == 1


def test_boxes_carried_over_bring_missed_people_back():
    missed = sum(2 - len(found) for found in run(build(drop=0.3))[0])
    results, keypoints = run(build(drop=0.3, **FLOW))
    assert sum(2 - len(found) for found in results) < missed / 3
    for found in results:
        distances = abs(found.keypoints[:, None] - keypoints).max(axis=(2, 3))
        assert (distances.min(axis=1) < 1e-3).all()


def test_boxes_far_from_everybody_get_no_pose():
    model = build()
    boxes = np.array([[150, 100, 190, 139], [21, 21, 81, 81]], np.float32)
    sample = PoseDataSample(metainfo=dict(video_id='a', frame_id=0))
    sample.gt_instances = InstanceData(
        bboxes=np.concatenate([CORNERS, CORNERS + 60], axis=1)[:1],
        keypoints=np.full((1, 17, 2), 50, np.float32),
        keypoints_visible=np.ones((1, 17), np.float32),
    )
    found = InstanceData(bboxes=boxes, bbox_scores=np.ones(2, np.float32))
    found, sides = model._run_pose_estimator(None, sample, found)
    assert found.keypoint_scores.tolist() == [[0] * 17, [1] * 17]
    assert (found.keypoints[1] == 50).all()
    np.testing.assert_allclose(sides, [[40, 39], [60, 60]])


@pytest.mark.parametrize(
    'argument', [dict(drop=1.5), dict(drop_length=0), dict(min_iou=0), dict(seed=-1)]
)
def test_faulty_arguments_are_refused(argument):
    with pytest.raises(ValueError, match=next(iter(argument))):
        build(**argument)
