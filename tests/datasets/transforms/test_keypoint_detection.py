"""Through MMDetection's transforms keypoints stay on what they mark."""

import random

import mmdet.datasets.transforms  # noqa: F401
import numpy as np
import pytest
import torch
from mmdet.registry import TRANSFORMS
from mmdet.structures.bbox import HorizontalBoxes
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope

import ogn_mm  # noqa: F401
from ogn_mm.datasets.transforms import LoadKeypointAnnotations, PackKeypointInputs

HEIGHT, WIDTH = 120, 160
FLIP_INDICES = [0, 2, 1]
# x, y and flag of three keypoints of each person, and the box
PEOPLE = (
    ([(40, 30, 2), (30.25, 60, 1), (55, 61.5, 2)], [20, 15, 70, 75]),
    ([(120.5, 50, 2), (110, 85.75, 2), (135, 90, 2)], [100, 35, 150, 105]),
)


@pytest.fixture(autouse=True)
def mmdet_scope(default_scope):
    init_default_scope('mmdet')


def sample(people=PEOPLE, ignored=()):
    """A data set's sample: the image has a dot for each keypoint, in its channel."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    image = np.zeros((HEIGHT, WIDTH, 3))
    for keypoints, _ in people:
        for channel, (kx, ky, _) in enumerate(keypoints):
            image[..., channel] += np.exp(-((x - kx) ** 2 + (y - ky) ** 2) / 18)
    return dict(
        img=(255 * image).clip(0, 255).astype(np.uint8),
        img_shape=(HEIGHT, WIDTH),
        ori_shape=(HEIGHT, WIDTH),
        height=HEIGHT,
        width=WIDTH,
        img_id=1,
        flip_indices=FLIP_INDICES,
        instances=[
            dict(
                bbox=box,
                bbox_label=0,
                ignore_flag=int(i in ignored),
                keypoints=np.ravel(keypoints).tolist(),
            )
            for i, (keypoints, box) in enumerate(people)
        ],
    )


def run(*steps, **kwargs):
    """Image (H, W, 3) and instances after some transforms."""
    pipeline = [
        dict(type='LoadKeypointAnnotations'),
        *steps,
        dict(type='PackKeypointInputs'),
    ]
    packed = Compose([TRANSFORMS.build(step) for step in pipeline])(sample(**kwargs))
    return packed['inputs'].permute(1, 2, 0).numpy(), packed[
        'data_samples'
    ].gt_instances


def dot_near(channel, point, reach=9):
    """The centre of the dot about a point, or NaN if there is none."""
    x1, y1 = np.maximum(np.round(point).astype(int) - reach, 0)
    window = channel[y1 : y1 + 2 * reach + 1, x1 : x1 + 2 * reach + 1].astype(float)
    if window.max() < 100:
        return np.full(2, np.nan)
    weights = (window - window.max() / 3).clip(0)
    y, x = np.mgrid[y1 : y1 + window.shape[0], x1 : x1 + window.shape[1]]
    return np.array([(x * weights).sum(), (y * weights).sum()]) / weights.sum()


def assert_on_dots(image, instances, mirrored=False, tolerance=0.15):
    """Every visible keypoint away from the border lies on its dot; returns how many."""
    points = instances.keypoints.numpy()
    shown = instances.keypoints_visible.numpy() > 0
    size = np.array(image.shape[1::-1])
    assert (points[shown] >= -0.5).all() and (points[shown] <= size - 0.5).all()
    whole = shown & ((points >= 9) & (points <= size - 10)).all(-1)
    for person, k in np.argwhere(whole):
        channel = image[..., FLIP_INDICES[k] if mirrored else k]
        dot = dot_near(channel, points[person, k])
        np.testing.assert_allclose(dot, points[person, k], atol=tolerance)
    return whole.sum()


def test_dots_are_found_where_nothing_moves():
    image, instances = run()
    assert assert_on_dots(image, instances, tolerance=0.03) == 6
    assert (
        instances.keypoints.dtype == instances.keypoints_visible.dtype == torch.float32
    )
    assert type(instances.bboxes) is HorizontalBoxes
    np.testing.assert_equal(instances.bboxes.numpy(), [box for _, box in PEOPLE])
    assert instances.labels.tolist() == [0, 0]


@pytest.mark.parametrize(
    'scale', [(320, 240), (240, 180), (112, 84), (280, 84)], ids=str
)
def test_resize(scale):
    image, instances = run(dict(type='Resize', scale=scale))
    assert image.shape[:2] == scale[::-1]
    assert assert_on_dots(image, instances, tolerance=0.1) == 6
    factor = np.divide(scale, (WIDTH, HEIGHT))
    expected = (np.array(PEOPLE[0][0])[:, :2] + 0.5) * factor - 0.5
    np.testing.assert_allclose(instances.keypoints[0], expected, atol=1e-4)


def test_resize_there_and_back():
    there, back = (
        dict(type='Resize', scale=scale) for scale in ((333, 219), (WIDTH, HEIGHT))
    )
    _, instances = run(there, back)
    _, original = run()
    torch.testing.assert_close(
        instances.keypoints, original.keypoints, atol=1e-4, rtol=0
    )
    assert instances.keypoints_visible.equal(original.keypoints_visible)


@pytest.mark.parametrize('direction', ['horizontal', 'vertical', 'diagonal'])
def test_flip(direction):
    flip = dict(type='RandomFlip', prob=1.0, direction=direction)
    image, instances = run(flip)
    mirrored = direction != 'diagonal'
    assert assert_on_dots(image, instances, mirrored, tolerance=0.03) == 6
    _, twice = run(flip, flip)
    _, original = run()
    assert twice.keypoints.equal(original.keypoints)
    assert twice.bboxes.tensor.equal(original.bboxes.tensor)


@pytest.mark.parametrize(
    'steps',
    [
        [dict(type='RandomCrop', crop_size=(90, 80))],
        [dict(type='RandomCrop', crop_size=(0.6, 0.6), crop_type='relative_range')],
        [dict(type='MinIoURandomCrop')],
        [dict(type='Expand', ratio_range=(1, 2))],
        [dict(type='RandomShift', prob=1.0)],
        [dict(type='RandomAffine', scaling_ratio_range=(0.8, 1.25))],
        [dict(type='Rotate', prob=1.0)],
        [dict(type='ShearX', prob=1.0)],
        [dict(type='RandomResize', scale=[(160, 100), (320, 240)], keep_ratio=True)],
        [
            dict(type='RandomChoiceResize', scales=[(200, 150), (250, 200)]),
            dict(type='RandomCrop', crop_size=(100, 100)),
            dict(type='FilterAnnotations', min_gt_bbox_wh=(8, 8), keep_empty=False),
        ],
    ],
    ids=lambda steps: '-'.join(step['type'] for step in steps),
)
def test_random_transforms_of_upstream(steps):
    np.random.seed(0)  # noqa: NPY002
    random.seed(0)
    checked = 0
    for _ in range(8):
        image, instances = run(*steps)
        checked += assert_on_dots(image, instances)
        assert (
            len(instances.keypoints) == len(instances.bboxes) == len(instances.labels)
        )
    assert checked >= 8


def test_photometric_changes_and_padding_move_nothing():
    image, instances = run(
        dict(type='PhotoMetricDistortion'), dict(type='Pad', size=(256, 192))
    )
    assert image.shape[:2] == (192, 256)
    _, original = run()
    assert instances.keypoints.equal(original.keypoints)
    assert instances.keypoints_visible.equal(original.keypoints_visible)


def crop_at(x, y, *more, people=PEOPLE):
    """Instances after MMDetection's RandomCrop to 80 x 90 at a chosen place."""
    crop = TRANSFORMS.build(dict(type='RandomCrop', crop_size=(80, 90)))
    crop._rand_offset = lambda margin: (y, x)
    load, pack = LoadKeypointAnnotations(), PackKeypointInputs()
    packed = Compose([load, crop, *more, pack])(sample(people))
    return packed and packed['data_samples'].gt_instances


def test_crop_by_hand():
    # the crop spans 30 to 109 and 20 to 109; both people touch it
    instances = crop_at(30, 20)
    assert instances.bboxes.tensor.tolist() == [[0, 0, 40, 55], [70, 15, 80, 85]]
    assert instances.keypoints[0].tolist() == [[10, 10], [0.25, 40], [25, 41.5]]
    assert instances.keypoints_visible.tolist() == [[1, 1, 1], [0, 0, 0]]


def test_crop_keeps_keypoints_with_their_boxes():
    instances = crop_at(75, 20)  # the first person is outside
    assert len(instances.bboxes) == len(instances.keypoints) == 1
    assert instances.keypoints[0].tolist() == [[45.5, 30], [35, 65.75], [60, 70]]
    assert crop_at(75, 20, people=PEOPLE[:1]) is None  # upstream tries another image


def test_what_a_crop_has_cut_off_stays_hidden_under_padding():
    pad = TRANSFORMS.build(dict(type='Pad', size=(160, 160)))
    assert crop_at(30, 20, pad).keypoints_visible.tolist() == [[1, 1, 1], [0, 0, 0]]


def test_masks_boxes_and_keypoints_stay_in_step():
    results = sample()
    for person in results['instances']:
        x1, y1, x2, y2 = person['bbox']
        person['mask'] = [[x1, y1, x2, y1, x2, y2, x1, y2]]
    crop = TRANSFORMS.build(dict(type='RandomCrop', crop_size=(80, 90)))
    crop._rand_offset = lambda margin: (20, 75)
    load = LoadKeypointAnnotations(with_mask=True)
    results = Compose([load, crop, PackKeypointInputs()])(results)
    instances = results['data_samples'].gt_instances
    (mask,) = instances.masks.masks
    y, x = np.nonzero(mask)
    box = instances.bboxes.tensor[0].tolist()
    np.testing.assert_allclose([x.min(), y.min(), x.max() + 1, y.max() + 1], box)
    assert instances.keypoints[0, 0].tolist() == [45.5, 30]


def test_keypoints_outside_their_image_are_not_visible():
    person = ([(-0.5, 0, 2), (-0.6, 5, 2), (159.5, 120, 1)], [0, 0, 50, 50])
    _, instances = run(people=[person])
    assert instances.keypoints_visible.tolist() == [[1, 0, 0]]


def test_people_without_keypoints_keep_their_box():
    person = ([(0, 0, 0)] * 3, [10, 10, 50, 50])
    _, instances = run(dict(type='RandomFlip', prob=1.0), people=[person, PEOPLE[0]])
    assert instances.keypoints_visible.sum(1).tolist() == [0, 3]
    assert instances.bboxes.tensor[0].tolist() == [110, 10, 150, 50]


def test_images_without_people():
    steps = [
        dict(type='Resize', scale=(80, 60)),
        dict(type='RandomFlip', prob=1.0),
        dict(type='RandomCrop', crop_size=(40, 40), allow_negative_crop=True),
    ]
    _, instances = run(*steps, people=())
    assert instances.keypoints.shape == (0, 3, 2)
    assert instances.keypoints_visible.shape == (0, 3)
    assert instances.bboxes.tensor.shape == (0, 4)


def test_images_that_are_no_part_of_a_data_set():
    """As DetInferencer gives them to the test pipeline."""
    results = {key: sample()[key] for key in ('img', 'img_shape', 'ori_shape')}
    packed = PackKeypointInputs(meta_keys=())(LoadKeypointAnnotations()(results))
    assert len(packed['data_samples'].gt_instances.bboxes) == 0
    assert PackKeypointInputs(meta_keys=())(dict(img=results['img'])).keys() == {
        'inputs',
        'data_samples',
    }


def test_crowds_are_ignored_with_their_keypoints():
    load, pack = LoadKeypointAnnotations(), PackKeypointInputs()
    packed = Compose([load, pack])(sample(ignored=[0]))['data_samples']
    assert packed.gt_instances.keypoints[0, 0].tolist() == [120.5, 50]
    assert packed.ignored_instances.keypoints[0, 0].tolist() == [40, 30]


def test_misuse_is_told():
    results = LoadKeypointAnnotations()(sample())
    with pytest.raises(ValueError, match='recompute_bbox'):
        PackKeypointInputs()(
            results | dict(gt_bboxes=HorizontalBoxes(torch.ones(1, 4)))
        )
    bare = sample()
    del bare['instances'][0]['keypoints']
    with pytest.raises(KeyError, match='CocoKeypointDetectionDataset'):
        LoadKeypointAnnotations()(bare)
    with pytest.raises(TypeError, match='box_type'):
        LoadKeypointAnnotations(box_type='hbox')
