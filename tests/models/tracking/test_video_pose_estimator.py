"""The whole model: what it builds, how frames go through, what it gives."""

import copy
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import load_checkpoint
from mmengine.structures import InstanceData
from mmpose.datasets import PoseTrack18Dataset
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from tiny_detector import load_tiny

from ogn_mm.apis import OGNInferencer
from ogn_mm.models.utils import build_part

ROOT = Path(__file__).parents[3]
POSE = str(ROOT / 'configs/demo/td-ogn_res18-1deconv_1xb32-16e_generated-128x96.py')
DETECTOR = ROOT / 'configs/person_detector'
DETECTOR /= 'faster-rcnn_r18-half_fpn_1xb4-5e_generated-crowds-240x320.py'
MASK_RCNN = ROOT / 'configs/ogn_mask_rcnn/ogn-mask-rcnn_r50_fpn-rc_8xb2-1x_coco.py'
TRACKER = dict(type='PoseTracker')
WITH_FLOW = dict(
    tracker=dict(type='PoseTracker', cues=[dict(type='FlowOKS')], score_thr=0.01),
    flow=dict(type='DISFlow'),
)


def build(**config):
    torch.manual_seed(0)
    config = dict(tracker=TRACKER) | config
    model = MODELS.build(dict(type='VideoPoseEstimator', **copy.deepcopy(config)))
    return model.eval()


@pytest.fixture(scope='module')
def pose_checkpoint(tmp_path_factory):
    torch.manual_seed(0)
    model, _ = build_part('mmpose', POSE)
    path = tmp_path_factory.mktemp('pose') / 'pose.pth'
    torch.save(dict(state_dict=model.state_dict(), meta={}), path)
    return str(path)


@pytest.fixture(scope='module')
def detector(tmp_path_factory):
    """A detector's config without bases, which take a while to read."""
    path = tmp_path_factory.mktemp('detector') / 'detector.py'
    Config.fromfile(DETECTOR).dump(path)
    return str(path)


@pytest.fixture(scope='module')
def picture():
    noise = np.random.default_rng(0).uniform(0, 255, (140, 260, 3))
    picture = cv2.GaussianBlur(noise, None, 3)
    return cv2.normalize(picture, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def step(model, image, t, boxes=(), video='a', length=9, **people):
    """Run a frame with annotated boxes; its instances."""
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    sample = PoseDataSample(
        metainfo=dict(
            img_path=f'{t}.jpg', img_id=t, ori_shape=image.shape[:2], video_id=video,
            frame_id=t, video_length=length,
        )
    )  # fmt: skip
    sample.gt_instances = InstanceData(bboxes=boxes, **people)
    inputs = torch.from_numpy(image.copy()).permute(2, 0, 1)
    (result,) = model.test_step(dict(inputs=[inputs], data_samples=[sample]))
    assert result is sample
    return result.pred_instances


def walkers(t):
    """Two annotated people who pass each other, and the labels of their keypoints."""
    boxes = np.array([[10 + 6 * t, 10, 40 + 6 * t, 90], [150 - 6 * t, 30, 180 - 6 * t,
                      120]], np.float32)  # fmt: skip
    shape = np.random.default_rng(1).uniform(0.1, 0.9, (2, 17, 2))
    keypoints = boxes[:, None, :2] + shape * (boxes[:, None, 2:] - boxes[:, None, :2])
    return dict(
        boxes=boxes,
        keypoints=keypoints.astype(np.float32),
        keypoints_visible=np.ones((2, 17), np.float32),
    )


def test_annotated_poses_get_identities(picture):
    """Without networks; another video begins anew, though its frames go on."""
    model = build()
    for t in range(20):
        people = walkers(t)
        found = step(model, picture[:120, :200], t, **people)
        assert sorted(found.track_ids.tolist()) == [0, 1]
        order = np.argsort(found.track_ids)
        np.testing.assert_array_equal(found.bboxes[order], people['boxes'])
        np.testing.assert_array_equal(found.keypoints[order], people['keypoints'])
        assert found.keypoint_scores.shape == (2, 17)
        assert (found.bbox_scores == 1).all() and (found.pose_scores == 1).all()
    assert model.tracker.tracks['lengths'].tolist() == [20, 20]
    found = step(model, picture, 20, video='b', **walkers(0))
    assert model.tracker.tracks['lengths'].tolist() == [1, 1]
    found = step(model, picture, 0, video='b', **walkers(9))
    assert model.tracker.tracks['lengths'].tolist() == [1, 1]
    assert len(step(model, picture, 1, video='b', keypoints=np.zeros((0, 17, 2)),
                    keypoints_visible=np.zeros((0, 17)))) == 0  # fmt: skip


def test_poses_are_those_of_the_inferencer(picture, pose_checkpoint):
    boxes = np.array([[20.0, 10, 70, 110, 1], [90, 20, 130, 110, 1]], np.float32)
    model = build(
        pose_estimator=dict(config=POSE, checkpoint=pose_checkpoint),
        people_per_batch=1,
    )
    found = step(model, picture, 0, boxes[:, :4])
    inferencer = OGNInferencer(
        POSE,
        pose_checkpoint,
        device='cpu',
        det_model='whole_image',
        pose_nms_cfg=dict(oks_thr=1.0, iou_thr=1.0),
    )
    (result,) = inferencer(picture, return_datasamples=True, bboxes=[boxes])
    expected = result['predictions'][0].pred_instances
    for name in ('keypoints', 'keypoint_scores', 'pose_scores', 'bboxes'):
        np.testing.assert_allclose(found[name], expected[name], atol=1e-3)
    assert sorted(found.track_ids.tolist()) == [0, 1]
    assert model.dataset_meta['dataset_name'] == 'coco'
    assert len(step(model, picture, 1)) == 0


def test_flow_carries_boxes_over_missed_detections(picture, pose_checkpoint):
    """The camera pans; a person who is missed stays until the score has decayed."""
    model = build(
        pose_estimator=dict(config=POSE, checkpoint=pose_checkpoint),
        propagation=dict(min_score=0.0, decay=0.25),
        **WITH_FLOW,
    )
    scores = np.full((1, 17), 0.9, np.float32)
    spread = np.linspace(0, 1, 17)[:, None].astype(np.float32)

    def estimate(image, sample, found):
        """Keypoints on the box's diagonal, so that it is known what they enclose."""
        low, high = found.bboxes[:, None, :2], found.bboxes[:, None, 2:]
        found.keypoints = low + spread * (high - low)
        found.keypoint_scores = scores.repeat(len(found), axis=0)
        return found, found.bboxes[:, 2:] - found.bboxes[:, :2]

    model._run_pose_estimator = estimate
    views = [picture[:120, 4 * t : 4 * t + 200] for t in range(6)]
    first = step(model, views[0], 0, [[60, 20, 100, 100]])
    assert first.track_ids.tolist() == [0]
    second = step(model, views[1], 1)
    assert second.track_ids.tolist() == [0]
    # the extent, 15 % larger, 4 pixels further left
    np.testing.assert_allclose(second.bboxes, [[53, 14, 99, 106]], atol=1)
    np.testing.assert_allclose(second.bbox_scores, [0.25])
    # somebody else's detection changes nothing; one of the same person replaces it
    third = step(model, views[2], 2, [[150, 20, 190, 100]])
    assert third.track_ids.tolist() == [1, 0]
    lengths = [len(step(model, views[t], t)) for t in (3, 4)]
    assert lengths == [2, 1]
    again = step(model, views[5], 5, [[40, 20, 80, 100]])
    assert again.track_ids.tolist()[0] == 0 and again.bbox_scores[0] == 1


def test_similarity_of_poses_is_that_of_the_data_set():
    posetrack = dict(from_file='configs/_base_/datasets/posetrack18.py')
    own = [0.1] * 17
    cues = [dict(type='FlowOKS'), dict(type='OKSSimilarity', sigmas=own)]
    model = build(
        tracker=dict(type='PoseTracker', cues=cues),
        flow=dict(type='DISFlow'),
        metainfo=posetrack,
    )
    flow, last = model.tracker.cues
    np.testing.assert_array_equal(flow.sigmas, model.dataset_meta['sigmas'])
    assert last.sigmas.tolist() == own


def test_frames_of_another_size_have_no_flow(picture):
    model = build(**WITH_FLOW)
    for t, view in enumerate([picture, picture[:100], picture[:100]]):
        assert len(step(model, view, t, **walkers(t))) == 2


def test_detector_and_pose_network(picture, detector):
    model = build(
        detector=dict(
            config=detector, cfg_options={'model.test_cfg.rcnn.score_thr': 0.3}
        ),
        box_filter=dict(type='mmdet.GreedyBoxGeneration', max_num=3),
        pose_estimator=dict(config=POSE),
        appearance=dict(type='ColorStripes'),
        tracker=dict(
            type='PoseTracker', cues=[dict(type='BoxIoU'), dict(type='ReIDDistance')]
        ),
    )
    first = step(model, picture, 0)
    assert 0 < len(first) <= 3
    assert (np.diff(first.pose_scores) <= 0).all()
    # a still picture
    second = step(model, picture, 1)
    np.testing.assert_array_equal(first.track_ids, second.track_ids)
    np.testing.assert_array_equal(first.keypoints, second.keypoints)


@pytest.fixture(scope='module')
def mask_rcnn(tmp_path_factory):
    """A small offset-guided Mask R-CNN's config; untrained boxes are kept."""
    config = load_tiny(MASK_RCNN)
    config.model.roi_head.keypoint_head.update(num_convs=1, conv_out_channels=16)
    config.model.test_cfg.rcnn.update(score_thr=0.0, max_per_img=4)
    config.test_dataloader.dataset.pipeline[1].scale = (160, 120)
    path = tmp_path_factory.mktemp('mask_rcnn') / 'config.py'
    config.dump(path)
    return str(path)


def test_mask_rcnn_gives_keypoints_itself(picture, mask_rcnn, tmp_path):
    model = build(detector=dict(config=mask_rcnn))
    found = step(model, picture, 0)
    assert found.keypoints.shape == (len(found), 17, 2) and len(found) > 0
    assert found.keypoint_scores.shape == (len(found), 17)

    # the detector's own checkpoint is the model's
    state = {k: v + 1 for k, v in model.detector.state_dict().items()}
    torch.save(dict(state_dict=state), tmp_path / 'own.pth')
    load_checkpoint(model, str(tmp_path / 'own.pth'), strict=True)
    assert all(
        torch.equal(value, state[key])
        for key, value in model.detector.state_dict().items()
    )


def test_mask_rcnn_finds_poses_in_boxes_carried_over(picture, mask_rcnn):
    """Those that it finds in the same boxes when it detects them itself."""
    model = build(
        detector=dict(config=mask_rcnn),
        pose_nms_cfg=dict(oks_thr=1.0, iou_thr=1.0),
        tracker=dict(type='PoseTracker', cues=[dict(type='FlowOKS')]),
        flow=dict(type='DISFlow'),
        propagation=dict(min_score=0.0, decay=0.5),
    )
    first = step(model, picture, 0)
    given = InstanceData(bboxes=first.bboxes)
    with torch.no_grad():
        found = model._run_detector(picture, given)
    order = np.argsort(-first.bbox_scores)
    np.testing.assert_array_equal(found.bboxes.numpy(), first.bboxes[order])
    np.testing.assert_allclose(given.keypoints[order], found.keypoints, atol=1e-3)
    np.testing.assert_allclose(
        given.keypoint_scores[order], found.keypoint_scores, atol=1e-5
    )

    # a still picture in which nobody is detected
    model.detector.roi_head.test_cfg.score_thr = 2.0
    second = step(model, picture, 1)
    assert len(first) > 0
    assert sorted(second.track_ids) == sorted(first.track_ids)
    before, after = np.argsort(first.track_ids), np.argsort(second.track_ids)
    np.testing.assert_allclose(
        second.bbox_scores[after], first.bbox_scores[before] / 2, rtol=1e-6
    )
    # poses around where they were
    shift = second.keypoints[after] - first.keypoints[before]
    assert np.abs(shift).mean() < 20


def test_keypoints_are_those_of_the_detector_s_data(mask_rcnn, tmp_path):
    """Of a Mask R-CNN fine-tuned on PoseTrack, PoseTrack's."""
    assert build(detector=dict(config=mask_rcnn)).dataset_meta['keypoint_id2name'][
        1
    ] == ('left_eye')
    config = Config.fromfile(mask_rcnn)
    config.test_dataloader.dataset.metainfo = dict(
        from_file='configs/_base_/datasets/posetrack18.py'
    )
    config.dump(tmp_path / 'posetrack.py')
    meta = build(detector=dict(config=str(tmp_path / 'posetrack.py'))).dataset_meta
    assert meta['keypoint_id2name'][1] == 'head_bottom'


def test_checkpoints(pose_checkpoint, detector, tmp_path):
    """Of the pose network alone, or of the whole model; nothing is lost in between."""
    without = build(pose_estimator=dict(config=POSE))
    with pytest.raises(ValueError, match='the pose_estimator would have random'):
        without.check_weights()
    build(pose_estimator=dict(config=POSE, checkpoint=pose_checkpoint)).check_weights()
    build(appearance=dict(type='ColorStripes')).check_weights()
    network, _ = build_part('mmdet', detector)
    path = str(tmp_path / 'detector.pth')
    state = {key: value + 1 for key, value in network.state_dict().items()}
    torch.save(dict(state_dict=state, meta={}), path)
    model = build(
        detector=dict(config=detector, checkpoint=path),
        pose_estimator=dict(config=POSE),
    )
    load_checkpoint(model, pose_checkpoint, strict=True)
    pose = torch.load(pose_checkpoint)['state_dict']
    for part, expected in (('detector', state), ('pose_estimator', pose)):
        for key, value in getattr(model, part).state_dict().items():
            assert torch.equal(value, expected[key])

    state.popitem()
    torch.save(dict(state_dict=state), path)
    with pytest.raises(ValueError, match='detector.pth does not fit: 1 weights are'):
        build(detector=dict(config=detector, checkpoint=path))

    whole = str(tmp_path / 'whole.pth')
    torch.save(dict(state_dict=model.state_dict()), whole)
    other = build(detector=dict(config=detector), pose_estimator=dict(config=POSE))
    with pytest.raises(ValueError, match=r'`model\.detector\.checkpoint` is not set'):
        load_checkpoint(other, pose_checkpoint)
    load_checkpoint(other, whole, strict=True)
    assert all(
        torch.equal(value, model.state_dict()[key])
        for key, value in other.state_dict().items()
    )


def test_faulty_configs():
    three_sigmas = dict(type='OKSSimilarity', sigmas=[0.1] * 3)
    with_features = dict(type='PoseTracker', cues=[dict(type='ReIDDistance')])
    with_flow = dict(type='PoseTracker', cues=[dict(type='FlowOKS')])
    for config, message in (
        (dict(tracker=with_features), '`appearance` is needed'),
        (dict(tracker=with_flow), 'FlowOKS and `propagation` need `flow`'),
        (
            dict(propagation={}, flow=dict(type='DISFlow')),
            '`propagation` needs a `pose_estimator`',
        ),
        (dict(propagation=dict(decay=2)), 'propagation: decay must be from 0 to 1'),
        (dict(pose_nms_cfg=dict(oks_thr=3)), r'`oks_thr` should be in \[0, 1\]'),
        (
            dict(tracker=dict(type='PoseTracker', cues=[three_sigmas])),
            'OKSSimilarity has 3 sigmas for 17 keypoints',
        ),
        (dict(people_per_batch=0), 'people_per_batch must be an integer'),
    ):
        with pytest.raises(ValueError, match=message):
            build(**config)
    with pytest.raises(FileNotFoundError, match='nowhere.py: there is no such config'):
        build(pose_estimator=dict(config='nowhere.py'))
    for config in (dict(propagation=dict(iou=1)), dict(pose_nms_cfg=dict(oks=1))):
        with pytest.raises(TypeError, match='unexpected keyword argument'):
            build(**config)
    with pytest.raises(ValueError, match='cfg_options model.hed: unknown key `hed`'):
        build(pose_estimator=dict(config=POSE, cfg_options={'model.hed': 1}))
    model = build()
    with pytest.raises(NotImplementedError, match='its parts are trained alone'):
        model([], [], mode='loss')


def test_config_is_found_in_the_package(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = POSE.removeprefix(f'{ROOT}/')
    model, _ = build_part('mmpose', name)
    assert model.cfg.filename.endswith(name)


def test_parts_find_the_keypoints_of_their_data(pose_checkpoint, tmp_path):
    """PoseTrack's weights would load into a network for COCO's 17 keypoints."""
    content = torch.load(pose_checkpoint)
    content['meta']['dataset_meta'] = PoseTrack18Dataset._load_metainfo()
    path = str(tmp_path / 'posetrack.pth')
    torch.save(content, path)
    with pytest.raises(ValueError, match='posetrack.pth was trained on other keypoint'):
        build_part('mmpose', POSE, path)
