import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmengine.dataset import Compose
from mmpose.datasets.transforms import GetBBoxCenterScale
from mmpose.registry import TRANSFORMS

from ogn_mm.datasets.transforms import RandomDetectedBox, RandomDetectorError
from ogn_mm.structures.bbox import box_errors, box_iou

BOX = np.float32([[10, 20, 50, 100]])
MEAN = [0.01, -0.02, 0.03, -0.05]
COVARIANCE = np.diag([0.03, 0.02, 0.06, 0.05]) ** 2
COVARIANCE[1, 3] = COVARIANCE[3, 1] = 0.0006


def seeded(transform, seed, **sample):
    np.random.seed(seed)  # noqa: NPY002
    return transform(dict(bbox=BOX.copy()) | sample)


def draw():
    return np.random.random_sample()  # noqa: NPY002


@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0, 1), count=st.integers(0, 5))
def test_box_is_a_detection_or_the_annotated_one(seed, share, count):
    detected = BOX + np.arange(1, count + 1, dtype=np.float32)[:, None]
    box = seeded(RandomDetectedBox(share), seed, detected_bboxes=detected)['bbox']
    assert box.shape == (1, 4) and box.dtype == np.float32
    assert box.tolist() in [[row] for row in np.concatenate((BOX, detected)).tolist()]
    if share == 0 or count == 0:
        np.testing.assert_array_equal(box, BOX)
    if share == 1 and count:
        assert box.tolist() != BOX.tolist()


def test_share_and_choice():
    """Every detection has its chance, within five standard deviations."""
    detected = BOX + np.float32([[1], [2], [3]])
    rng_free = RandomDetectedBox(0.6)
    shifts = np.array(
        [
            seeded(rng_free, seed, detected_bboxes=detected)['bbox'][0, 0] - 10
            for seed in range(2000)
        ]
    )
    shares = np.bincount(shifts.astype(int)) / len(shifts)
    expected = np.array([0.4, 0.2, 0.2, 0.2])
    spread = np.sqrt(expected * (1 - expected) / len(shifts))
    assert (np.abs(shares - expected) < 5 * spread).all()


def test_as_many_numbers_are_drawn_whatever_comes_of_it():
    one = RandomDetectedBox(1.0), RandomDetectedBox(0.0)
    follow = set()
    for transform in one:
        for detected in (np.zeros((0, 4), np.float32), BOX + 1):
            seeded(transform, 3, detected_bboxes=detected)
            follow.add(draw())
    assert len(follow) == 1
    follow = set()
    for share, iou_thr in ((0, 0.5), (1, 0.5), (1, 1.0)):
        seeded(RandomDetectorError(MEAN, COVARIANCE, share, iou_thr), 3)
        follow.add(draw())
    assert len(follow) == 1


def test_errors_have_the_distribution():
    transform = RandomDetectorError(MEAN, COVARIANCE, share=1.0, iou_thr=0.0)
    boxes = np.concatenate([seeded(transform, seed)['bbox'] for seed in range(4000)])
    errors = box_errors(BOX.astype(float), boxes)
    np.testing.assert_allclose(errors.mean(0), MEAN, atol=5e-3)
    np.testing.assert_allclose(np.cov(errors.T), COVARIANCE, atol=3e-4)


def test_poor_boxes_are_refused_and_the_share_is_kept():
    strong = np.eye(4) * 0.09
    transform = RandomDetectorError([0] * 4, strong, share=1.0, iou_thr=0.6)
    free = RandomDetectorError([0] * 4, strong, share=1.0, iou_thr=0.0)
    refused = 0
    for seed in range(300):
        box, proposed = (seeded(t, seed)['bbox'] for t in (transform, free))
        good = box_iou(proposed, BOX)[0] >= 0.6
        np.testing.assert_array_equal(box, proposed if good else BOX)
        refused += not good
    assert 30 < refused < 270
    half = RandomDetectorError(MEAN, COVARIANCE, share=0.5, iou_thr=0.0)
    changed = sum(seeded(half, seed)['bbox'][0, 0] != 10 for seed in range(1000))
    assert abs(changed - 500) < 80


@pytest.mark.parametrize(
    'transform',
    [RandomDetectedBox(), RandomDetectorError(MEAN, COVARIANCE, 0.5)],
    ids=lambda transform: type(transform).__name__,
)
def test_order_in_the_pipeline(transform):
    """Behind GetBBoxCenterScale a changed box would change nothing."""
    assert TRANSFORMS.get(type(transform).__name__) is type(transform)
    sample = dict(bbox=BOX, detected_bboxes=BOX)
    Compose([transform, GetBBoxCenterScale()])(dict(sample))
    with pytest.raises(ValueError, match='has to come before GetBBoxCenterScale'):
        Compose([GetBBoxCenterScale(), transform])(dict(sample))


def test_another_data_set_is_an_error():
    with pytest.raises(KeyError, match='needs the data set MixedBoxCocoDataset'):
        RandomDetectedBox()(dict(bbox=BOX))


@pytest.mark.parametrize('share', [-0.1, 1.1, float('nan')])
def test_bad_share(share):
    with pytest.raises(ValueError, match='RandomDetectedBox: share must be 0 to 1'):
        RandomDetectedBox(share)
    with pytest.raises(ValueError, match='RandomDetectorError: share must be 0 to 1'):
        RandomDetectorError(MEAN, COVARIANCE, share)


@pytest.mark.parametrize(
    ('mean', 'covariance', 'message'),
    [
        ([0, 0, 0], COVARIANCE, 'mean must be 4 numbers'),
        ([0, 0, 0, float('nan')], COVARIANCE, 'mean must be 4 numbers'),
        (MEAN, [0.1] * 4, 'covariance must be 4 x 4 numbers'),
        (MEAN, -np.eye(4), 'positive semi-definite'),
        (MEAN, np.triu(np.ones((4, 4))), 'symmetric'),
    ],
)
def test_bad_distribution(mean, covariance, message):
    with pytest.raises(ValueError, match=f'RandomDetectorError: .*{message}'):
        RandomDetectorError(mean, covariance, 0.5)
