import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmpose.evaluation.functional import oks_nms
from mmpose.evaluation.functional.nms import oks_iou

from ogn_mm.evaluation.functional import pose_nms, pose_oks, pose_scores

CRITERIA = ('oks_thr', 'iou_thr', 'combine')
seeds = given(st.integers(0, 2**32 - 1))
FLOATS = (np.float32, np.float64)


def random_poses(rng, num_keypoints, max_poses=40):
    """Poses around a few people, with ties, duplicates and areas of zero.

    Returns:
        dict: ``keypoints`` (N, K, 3), ``scores``, ``areas``, ``bboxes``, each of a
        random dtype.
    """
    num_poses = int(rng.integers(1, max_poses))
    person = rng.integers(0, 5, num_poses)
    body = rng.uniform(-40, 40, (1, num_keypoints, 2))
    noise = rng.normal(0, rng.choice([0, 1, 6]), (num_poses, num_keypoints, 2))
    xy = rng.uniform(0, 200, (5, 1, 2))[person] + body + noise
    if rng.random() < 0.3:
        xy = np.round(xy)
    keypoints = np.concatenate([xy, rng.random((num_poses, num_keypoints, 1))], axis=2)
    keypoints[rng.integers(0, num_poses, num_poses // 4)] = keypoints[0]
    corner = rng.integers(0, 8, (num_poses, 2)) * 10
    areas = rng.uniform(0, 2e4, num_poses) * (rng.random(num_poses) < 0.9)
    return dict(
        keypoints=keypoints.astype(rng.choice(FLOATS)),
        scores=rng.choice(np.arange(1, 9) / 8, num_poses).astype(rng.choice(FLOATS)),
        areas=areas.astype(rng.choice(FLOATS)),
        bboxes=np.c_[corner, corner + rng.integers(0, 9, (num_poses, 2)) * 10],
    )


def random_sigmas(rng, num_keypoints):
    if num_keypoints == 17 and rng.random() < 0.5:
        return None
    return rng.uniform(0.02, 0.11, num_keypoints).astype(rng.choice(FLOATS))


def as_instances(poses):
    """What MMPose's NMS takes."""
    fields = (poses['keypoints'], poses['scores'], poses['areas'])
    return [
        dict(keypoints=keypoints, score=score, area=area)
        for keypoints, score, area in zip(*fields, strict=True)
    ]


@settings(max_examples=100)
@seeds
def test_oks_alone_is_mmposes(seed):
    """Kept poses and OKS are the same to the last bit, ties and dtypes included."""
    rng = np.random.default_rng(seed)
    num_keypoints = int(rng.choice([1, 2, 8, 14, 17, 21, 133]))
    poses = random_poses(rng, num_keypoints)
    keypoints, areas = poses['keypoints'], poses['areas']
    options = dict(
        sigmas=random_sigmas(rng, num_keypoints), vis_thr=rng.choice([None, 0.2, 0.9])
    )
    thr = float(rng.choice([0, 0.3, 0.75, 0.9, 1]))
    np.testing.assert_array_equal(
        pose_nms(**poses, oks_thr=thr, iou_thr=None, **options),
        oks_nms(as_instances(poses), thr, **options),
    )

    flat = keypoints.reshape(len(keypoints), -1)
    found = pose_oks(keypoints[:3], keypoints, areas[:3], areas, **options)
    for row, pose, area in zip(found, flat, areas, strict=False):
        np.testing.assert_array_equal(row, oks_iou(pose, flat, area, areas, **options))


def test_far_poses_are_mmposes():
    """From OKS 1 to where float32 has 0, which need not be computed joint by joint."""
    rng = np.random.default_rng(0)
    keypoints = rng.uniform(0, 40, (1, 17, 3)) + np.linspace(0, 900, 300)[:, None, None]
    areas = np.full(300, 1600.0)
    flat = keypoints.reshape(300, -1)
    oks = pose_oks(keypoints[:1], keypoints, areas[:1], areas)[0]
    np.testing.assert_array_equal(oks, oks_iou(flat[0], flat, areas[0], areas))
    assert oks[0] == 1 and (oks == 0).sum() > 100 and (np.diff(oks[oks > 0]) < 0).all()


def test_hundreds_of_poses_are_mmposes():
    rng = np.random.default_rng(0)
    poses = random_poses(rng, 17, max_poses=2)
    poses = {name: np.repeat(array, 300, axis=0) for name, array in poses.items()}
    poses['keypoints'] = poses['keypoints'] + rng.uniform(0, 60, (300, 1, 1))
    poses['scores'] = rng.integers(0, 40, 300) / 40
    kept = pose_nms(**poses, iou_thr=None)
    assert 5 < len(kept) < 200
    np.testing.assert_array_equal(kept, oks_nms(as_instances(poses), 0.75))


def iou_by_hand(a, b):
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    union = sum((x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (a, b)) - width * height
    return width * height / union if union else 0


def select_by_hand(poses, oks_thr, iou_thr, combine):
    """Which poses are kept, pair by pair, best first; scores must differ."""
    kept = []
    for i in sorted(range(len(poses['scores'])), key=lambda i: -poses['scores'][i]):
        suppressed = False
        for j in kept:
            exceeded = []
            if oks_thr is not None:
                flat = poses['keypoints'][[j, i]].reshape(2, -1)
                area = poses['areas'][[j, i]]
                oks = oks_iou(flat[0], flat[1:], area[0], area[1:])[0]
                exceeded.append(oks > np.float32(oks_thr))
            if iou_thr is not None:
                iou = iou_by_hand(*poses['bboxes'][[j, i]].tolist())
                exceeded.append(iou > iou_thr)
            suppressed |= (any if combine == 'or' else all)(exceeded)
        if not suppressed:
            kept.append(i)
    return kept


@settings(max_examples=40)
@seeds
def test_oks_and_iou_are_those_of_a_double_loop(seed):
    rng = np.random.default_rng(seed)
    poses = random_poses(rng, 17, max_poses=15)
    poses['scores'] = rng.permutation(len(poses['scores'])) / 64
    for combine in ('or', 'and'):
        for thresholds in ((0.75, 0.6), (0.75, None), (None, 0.6), (0.2, 0.5)):
            criteria = (*thresholds, combine)
            kept = pose_nms(**poses, **dict(zip(CRITERIA, criteria, strict=True)))
            assert kept.tolist() == select_by_hand(poses, *criteria), criteria


@pytest.mark.parametrize(
    'options, kept',
    [
        (dict(), [2, 3]),
        (dict(combine='and'), [2, 0, 1, 3]),
        (dict(iou_thr=None), [2, 1, 3]),
        (dict(oks_thr=None), [2, 0, 3]),
        (dict(oks_thr=None, combine='and'), [2, 0, 3]),
        (dict(oks_thr=0.999, iou_thr=0.9), [2, 1, 3]),
        (dict(oks_thr=1, iou_thr=1), [2, 0, 1, 3]),
        (dict(oks_thr=0.75, iou_thr=0, combine='and'), [2, 1, 3]),
    ],
)
def test_criteria(options, kept):
    """0 has the best pose's keypoints and half its box, 1 the reverse, 3 neither."""
    keypoints = np.zeros((4, 17, 2))
    keypoints[1], keypoints[3] = 500, 900
    poses = dict(
        keypoints=keypoints,
        scores=np.array([0.8, 0.7, 0.9, 0.1]),
        areas=np.full(4, 100.0),
        bboxes=np.array(
            [[0, 0, 10, 5], [0, 0, 10, 8], [0, 0, 10, 10], [50, 50, 60, 60]]
        ),
    )
    assert pose_nms(**poses, **options).tolist() == kept


def test_oks_by_hand():
    """One keypoint of two is off so far that its share is exp(-1)."""
    sigmas, areas = np.array([0.05, 0.1]), np.array([300.0, 100.0])
    # exponent d^2 / (2 * (2 sigma)^2 * mean area) = d^2 / 16
    pose = np.array([[10.0, 10.0], [20.0, 20.0]])
    other = pose + [[0, 0], [0, 4]]
    oks = pose_oks(pose[None], other[None], areas[:1], areas[1:], sigmas)
    np.testing.assert_allclose(oks, [[(1 + np.exp(-1)) / 2]], rtol=1e-6)
    assert oks.dtype == np.float32


def test_equal_to_the_threshold_stays():
    keypoints = np.zeros((2, 17, 2))
    keypoints[1] = 1000
    bboxes = np.array([[0, 0, 10, 10], [0, 0, 10, 6]])
    kept = pose_nms(keypoints, np.array([0.9, 0.8]), np.ones(2), bboxes, iou_thr=0.6)
    assert kept.tolist() == [0, 1]


def test_result_does_not_depend_on_the_blocks(monkeypatch):
    # the function of this name hides its module
    module = sys.modules['ogn_mm.evaluation.functional.pose_nms']
    poses = random_poses(np.random.default_rng(5), 17, max_poses=100)
    kept = pose_nms(**poses).tolist()
    assert 1 < len(kept) < len(poses['scores'])
    for size in (1, 17 * 100, 10**9):
        monkeypatch.setattr(module, 'BLOCK', size)
        assert pose_nms(**poses).tolist() == kept


def test_no_poses():
    empty = np.zeros(0)
    kept = pose_nms(np.zeros((0, 17, 2)), empty, empty, np.zeros((0, 4)))
    assert kept.shape == (0,) and kept.dtype == int


@settings(max_examples=50)
@seeds
def test_pose_scores_are_mmposes(seed):
    """The same as its loop over scalars, to the last bit."""
    rng = np.random.default_rng(seed)
    scores = rng.random((6, 17)).astype(rng.choice(FLOATS))
    scores[0] = 0.1
    scores[1, :9] = scores.dtype.type(0.2)
    for pose, found in zip(scores, pose_scores(scores), strict=True):
        total = count = 0
        for score in pose:
            if score > 0.2:
                total += score
                count += 1
        assert found == (total / count if count else 0)


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(oks_thr=1.5), r'`oks_thr` should be in \[0, 1\] or None, but is 1.5'),
        (dict(iou_thr=-1), '`iou_thr` should be in'),
        (dict(oks_thr=None, iou_thr=None), 'should not both be None'),
        (dict(combine='xor'), "`combine` should be 'or' or 'and', but is 'xor'"),
        (dict(bboxes=None), '`bboxes` are needed unless `iou_thr` is None'),
        (dict(bboxes=np.ones((3, 4))), r'`bboxes` should have the shape \(2, 4\)'),
        (dict(scores=np.ones((2, 1))), r'`scores` should have the shape \(2,\)'),
        (dict(areas=np.ones(3)), r'`areas` should have .* but has \(3,\)'),
        (dict(sigmas=np.ones(5)), r'`keypoints` should have the shape \(2, 5, 2\)'),
        (dict(scores=np.array([1, np.nan])), '`scores` should be finite'),
        (dict(keypoints=np.full((2, 17, 2), np.inf)), '`keypoints` should be finite'),
    ],
)
def test_bad_arguments(options, message):
    poses = dict(
        keypoints=np.zeros((2, 17, 2)),
        scores=np.ones(2),
        areas=np.ones(2),
        bboxes=np.ones((2, 4)),
    )
    with pytest.raises(ValueError, match=message):
        pose_nms(**{**poses, **options})
