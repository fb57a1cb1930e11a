"""The training transforms give what MMPose's give, from the same random draws."""

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mmcv.transforms.utils import cache_random_params
from mmengine.dataset import Compose
from mmpose.datasets.transforms import (
    GenerateTarget,
    GetBBoxCenterScale,
    PackPoseInputs,
    RandomBBoxTransform,
    RandomFlip,
    TopdownAffine,
)

from ogn_mm.datasets.transforms import ContiguousRandomFlip, RandomBBoxScaleRotate

NUM_KEYPOINTS = 17
FLIP_INDICES = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
DIRECTIONS = ('horizontal', 'vertical', 'diagonal')
seeds = st.integers(0, 2**32 - 1)


def make_sample(seed, size=(120, 90), channels=3):
    """One person in an image of noise, as a dataset hands it to the pipeline."""
    rng = np.random.default_rng(seed)
    width, height = size
    corners = np.sort(rng.uniform(0, size, (2, 2)), axis=0) + [[0, 0], [8, 8]]
    return dict(
        img=rng.integers(0, 256, (height, width, channels), np.uint8),
        img_path='person.jpg',
        img_shape=(height, width),
        ori_shape=(height, width),
        bbox=corners.reshape(1, 4).astype(np.float32),
        bbox_score=np.ones(1, np.float32),
        keypoints=rng.uniform(0, size, (1, NUM_KEYPOINTS, 2)).astype(np.float32),
        keypoints_visible=rng.integers(0, 2, (1, NUM_KEYPOINTS)).astype(np.float32),
        dataset_keypoint_weights=np.ones((1, NUM_KEYPOINTS), np.float32),
        flip_indices=FLIP_INDICES,
    )


def assert_equal_results(ours, theirs):
    assert ours.keys() == theirs.keys()
    for key, value in theirs.items():
        np.testing.assert_array_equal(ours[key], value, err_msg=key)
        if isinstance(value, np.ndarray):
            assert ours[key].dtype == value.dtype


def seeded(transform, seed, sample):
    np.random.seed(seed)  # noqa: NPY002
    return transform(sample)


@given(
    seed=seeds,
    arguments=st.one_of(
        st.fixed_dictionaries(
            dict(prob=st.floats(0, 1), direction=st.sampled_from(DIRECTIONS))
        ),
        st.just(dict(prob=0.8, direction=list(DIRECTIONS))),
        st.just(dict(prob=[0.2, 0.3, 0.4], direction=list(DIRECTIONS))),
    ),
    channels=st.sampled_from([1, 3, 4]),
)
def test_flip_equals_mmpose(seed, arguments, channels):
    flips = ContiguousRandomFlip(**arguments), RandomFlip(**arguments)
    sample = GetBBoxCenterScale()(make_sample(seed, channels=channels))
    before = sample['img'].copy()
    ours, theirs = (seeded(flip, seed, dict(sample)) for flip in flips)
    assert_equal_results(ours, theirs)
    assert ours['img'].flags.c_contiguous
    np.testing.assert_array_equal(sample['img'], before)
    # as many random numbers were used
    follow = [seeded(flip, seed, dict(sample)) and draw() for flip in flips]
    assert follow[0] == follow[1]


def draw():
    return np.random.random_sample()  # noqa: NPY002


def test_flip_of_several_images_and_of_a_grey_one():
    flip = ContiguousRandomFlip(prob=1.0)
    sample = make_sample(0)
    frames = [sample['img'], sample['img'][..., 0].copy()]
    flipped = flip(dict(sample, img=frames))['img']
    for frame, expected in zip(flipped, frames, strict=True):
        np.testing.assert_array_equal(frame, expected[:, ::-1])


@given(seed=seeds)
@settings(max_examples=30)
def test_pipeline_equals_mmpose(seed):
    """Ours, with MMPose's transforms in ours' place and ours' draws, is the same."""
    jitter = RandomBBoxScaleRotate()
    jitter_of_mmpose = RandomBBoxTransform()
    jitter_of_mmpose._get_transform_params = jitter._get_transform_params
    packed = []
    for flip, scale_rotate in (
        (ContiguousRandomFlip(), jitter),
        (RandomFlip(), jitter_of_mmpose),
    ):
        pipeline = [
            GetBBoxCenterScale(),
            flip,
            scale_rotate,
            TopdownAffine(input_size=(48, 64)),
            GenerateTarget(
                dict(type='OffsetHeatmap', input_size=(48, 64), heatmap_size=(6, 8))
            ),
            PackPoseInputs(),
        ]
        packed.append(seeded(Compose(pipeline), seed, make_sample(seed)))
    ours, theirs = packed
    assert ours['inputs'].equal(theirs['inputs'])
    ours, theirs = ours['data_samples'], theirs['data_samples']
    assert ours.flip == theirs.flip
    np.testing.assert_array_equal(ours.input_center, theirs.input_center)
    np.testing.assert_array_equal(ours.input_scale, theirs.input_scale)
    np.testing.assert_array_equal(
        ours.gt_instances.keypoints, theirs.gt_instances.keypoints
    )
    for name in ('heatmaps', 'offsets', 'offset_weights'):
        assert getattr(ours.gt_fields, name).equal(getattr(theirs.gt_fields, name))
    assert ours.gt_instance_labels.keypoint_weights.equal(
        theirs.gt_instance_labels.keypoint_weights
    )


def jittered(count=20000, **arguments):
    """Scale of the image and rotation of many boxes."""
    boxes = dict(
        bbox_center=np.full((count, 2), 50, np.float32),
        bbox_scale=np.full((count, 2), (30, 40), np.float32),
    )
    results = seeded(RandomBBoxScaleRotate(**arguments), 0, boxes)
    assert (results['bbox_center'] == 50).all()
    assert results['bbox_scale'].dtype == results['bbox_rotation'].dtype == np.float32
    ratio = results['bbox_scale'] / np.float32((30, 40))
    np.testing.assert_allclose(ratio[:, 0], ratio[:, 1], rtol=1e-6)
    return 1 / ratio[:, 0], results['bbox_rotation']


def test_jitter_is_uniform_in_the_papers_ranges():
    """No deviation from the uniform distribution beyond Kolmogorov's 0.1 %."""
    scale, rotation = jittered(rotate_prob=1.0)
    for values, lowest, highest in ((scale, 0.9, 1.2), (rotation, -30, 30)):
        values = np.sort((values - lowest) / (highest - lowest))
        assert values[0] >= -1e-6 and values[-1] <= 1 + 1e-6
        deviation = np.abs(values - np.linspace(0, 1, len(values))).max()
        assert deviation < 1.95 / np.sqrt(len(values))


def test_jitter_probabilities():
    scale, rotation = jittered()
    assert (scale != 1).mean() > 0.999
    assert (rotation != 0).mean() == pytest.approx(0.6, abs=0.02)
    scale, rotation = jittered(scale_prob=0.25, rotate_prob=0.0)
    assert (scale != 1).mean() == pytest.approx(0.25, abs=0.02)
    assert not rotation.any()


def test_jitter_draws_for_scale_and_rotation_apart():
    scale, rotation = jittered(rotate_prob=1.0)
    assert abs(np.corrcoef(scale, rotation)[0, 1]) < 0.03


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('image_scale', (0, 1.2)),
        ('image_scale', (1.2, 0.9)),
        ('image_scale', (0.9, float('nan'))),
        ('image_scale', 1.2),
        ('rotate_factor', -1),
        ('rotate_factor', 181),
        ('scale_prob', 1.1),
        ('rotate_prob', -0.1),
        ('rotate_prob', float('nan')),
    ],
)
def test_jitter_names_a_bad_argument(name, value):
    with pytest.raises(ValueError, match=f'RandomBBoxScaleRotate: {name} must be'):
        RandomBBoxScaleRotate(**{name: value})


@pytest.mark.parametrize(
    ('transform', 'key'),
    [
        (ContiguousRandomFlip(), 'img'),
        (ContiguousRandomFlip([0.3, 0.3], ['horizontal', 'vertical']), 'img'),
        (RandomFlip(), 'img'),
        (RandomBBoxScaleRotate(), 'bbox_scale'),
        (RandomBBoxTransform(), 'bbox_scale'),
    ],
)
def test_several_images_can_share_random_numbers(transform, key):
    """Ours and MMPose's: a subclass must not change what its parent does."""
    sample = GetBBoxCenterScale()(make_sample(1))
    with cache_random_params(transform):
        results = [transform(dict(sample))[key] for _ in range(10)]
    assert all(np.array_equal(result, results[0]) for result in results)


# The crop is MMPose's own; these are the promises that training builds on.


def crop(sample, input_size, rotation=0.0):
    sample = dict(sample, bbox_rotation=np.float32([rotation]))
    return TopdownAffine(input_size)(sample)


def to_image(points, results):
    """The inverse as in `TopdownPoseEstimator.add_pred_to_datasample`."""
    size, scale = results['input_size'], results['input_scale']
    return points / size * scale + results['input_center'] - 0.5 * scale


@given(seed=seeds, input_size=st.sampled_from([(48, 64), (192, 256), (256, 352)]))
@example(seed=79, input_size=(48, 64))  # a small box: float32 counts
def test_crop_and_back_is_exact(seed, input_size):
    """To a thousandth of an input pixel, for keypoints in the box."""
    sample = make_sample(seed, size=(640, 480))
    corners = sample['bbox'].reshape(2, 2)
    shape = sample['keypoints'].shape
    sample['keypoints'][:] = np.random.default_rng(seed).uniform(*corners, shape)
    sample = GetBBoxCenterScale()(sample)
    results = crop(sample, input_size)
    back = to_image(results['transformed_keypoints'], results)
    pixel = results['input_scale'] / input_size  # of the input, in the image
    np.testing.assert_allclose(
        back / pixel, sample['keypoints'] / pixel, rtol=0, atol=1e-3
    )


@given(seed=seeds, rotation=st.floats(-30, 30), flip=st.booleans())
@settings(max_examples=30)
def test_keypoints_stay_on_what_they_mark(seed, rotation, flip):
    """The centre of a blob is where the keypoints say, to a tenth of a pixel."""
    rng = np.random.default_rng(seed)
    sample = make_sample(seed)
    centre = rng.integers((40, 30), (80, 60))
    img = np.zeros((90, 120, 3), np.uint8)
    img[centre[1], centre[0]] = 255
    sample['img'] = cv2.GaussianBlur(img, (0, 0), 3, borderType=cv2.BORDER_CONSTANT)
    sample['img'] = cv2.normalize(sample['img'], None, 0, 255, cv2.NORM_MINMAX)
    sample['keypoints'][:] = centre
    sample['bbox'] = np.float32([[10, 5, 110, 85]])
    sample = GetBBoxCenterScale()(sample)
    sample = ContiguousRandomFlip(prob=float(flip))(sample)
    results = crop(sample, (192, 256), rotation)
    mass = results['img'][..., 0].astype(float)
    y, x = np.mgrid[: mass.shape[0], : mass.shape[1]]
    found = np.array([(x * mass).sum(), (y * mass).sum()]) / mass.sum()
    np.testing.assert_allclose(found, results['transformed_keypoints'][0, 0], atol=0.1)


@given(seed=seeds, rotation=st.floats(-30, 30))
def test_flip_before_the_crop_moves_the_window_by_one_pixel(seed, rotation):
    """The box's centre lies at W / 2 in either crop, not at (W - 1) / 2.

    So x becomes W - x where flipping the crop gives W - 1 - x: the window shows one
    input pixel more on one side. Image and keypoints agree all the same.
    """
    sample = GetBBoxCenterScale()(make_sample(seed))
    sample['keypoints_visible'][:] = 1
    flipped = ContiguousRandomFlip(prob=1.0)(dict(sample))
    points = crop(sample, (192, 256), rotation)['transformed_keypoints']
    mirrored = crop(flipped, (192, 256), -rotation)['transformed_keypoints']
    expected = points[:, FLIP_INDICES] * [-1, 1] + [192, 0]
    np.testing.assert_allclose(mirrored, expected, atol=0.02)
