import numpy as np
import pytest
import torch
from mmdet.registry import TASK_UTILS
from mmengine.registry import DefaultScope
from mmpose.registry import TASK_UTILS as MMPOSE_TASK_UTILS
from torchvision.ops import nms

import ogn_mm  # noqa: F401
from ogn_mm.structures import greedy_box_generation


def random_boxes(count=300, seed=0):
    """Boxes around three people in two images, with different scores."""
    rng = np.random.default_rng(seed)
    corner = rng.integers(0, 3, (count, 1)) * 60 + rng.normal(0, 6, (count, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(30, 45, (count, 2))], axis=1)
    boxes = torch.from_numpy(boxes).float()
    return boxes, torch.rand(count), torch.from_numpy(rng.integers(0, 2, count))


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def test_gbg_passes_its_settings_on():
    case = random_boxes()
    settings = dict(
        min_size=35,
        egt_score_thr=0.9,
        egt_iou_thr=0.6,
        group_iou_thr=0.75,
        top_n=2,
        max_num=20,
        best_as_egt=False,
    )
    gbg = TASK_UTILS.build(dict(type='GreedyBoxGeneration', **settings))
    assert torch.equal(gbg(*case), greedy_box_generation(*case, **settings))
    assert len(gbg(*case)) < len(greedy_box_generation(*case))


def test_gbg_has_the_paper_s_defaults():
    case = random_boxes()
    gbg = TASK_UTILS.build(dict(type='GreedyBoxGeneration'))
    assert torch.equal(gbg(*case), greedy_box_generation(*case))


@pytest.mark.parametrize('name', ['GreedyBoxGeneration', 'BoxNMS'])
def test_found_from_mmpose(name):
    with DefaultScope.overwrite_default_scope('mmpose'):
        built = MMPOSE_TASK_UTILS.build(dict(type=f'mmdet.{name}', min_size=8))
    assert type(built) is TASK_UTILS.get(name)


@pytest.mark.parametrize('dtype', [torch.float16, torch.float32, torch.float64])
def test_nms_equals_torchvision_image_by_image(dtype):
    boxes, scores, images = random_boxes()
    boxes = boxes.to(dtype)
    kept = TASK_UTILS.build(dict(type='BoxNMS', iou_threshold=0.6))(
        boxes, scores, images
    )
    expected = []
    for image in (0, 1):
        rows = (images == image).nonzero()[:, 0]
        found = nms(boxes[rows].float(), scores[rows], 0.6)
        expected += rows[found].tolist()
    assert kept.dtype == torch.int64
    assert kept.tolist() == sorted(expected, key=lambda i: -scores[i].item())


def test_nms_limits():
    boxes, scores, images = random_boxes()
    build = lambda **kwargs: TASK_UTILS.build(dict(type='BoxNMS', **kwargs))  # noqa: E731
    everything = build()(boxes, scores, images)
    few = build(max_num=2)(boxes, scores, images)
    for image in (0, 1):
        of_image = everything[images[everything] == image]
        assert few[images[few] == image].tolist() == of_image[:2].tolist()
    large = (boxes[:, 2:] - boxes[:, :2] >= 38).all(dim=1).nonzero()[:, 0]
    kept = build(min_size=38)(boxes, scores)
    assert torch.equal(kept, large[build()(boxes[large], scores[large])])


def test_nms_without_boxes():
    kept = TASK_UTILS.build(dict(type='BoxNMS'))(torch.zeros(0, 4), torch.zeros(0))
    assert kept.dtype == torch.int64 and kept.shape == (0,)


@pytest.mark.parametrize(
    ('name', 'argument', 'message'),
    [
        ('GreedyBoxGeneration', dict(min_size=-1), 'min_size must be 0 or more'),
        (
            'GreedyBoxGeneration',
            dict(egt_score_thr=1.1),
            'egt_score_thr must be from 0',
        ),
        ('GreedyBoxGeneration', dict(egt_iou_thr=-0.1), 'egt_iou_thr must be from 0'),
        ('GreedyBoxGeneration', dict(group_iou_thr=0), 'group_iou_thr must be above 0'),
        ('GreedyBoxGeneration', dict(group_iou_thr=2), 'group_iou_thr must be above 0'),
        ('GreedyBoxGeneration', dict(top_n=0), 'top_n must be an integer'),
        ('GreedyBoxGeneration', dict(top_n=2.0), 'top_n must be an integer'),
        ('GreedyBoxGeneration', dict(max_num=-1), 'max_num must be an integer'),
        ('GreedyBoxGeneration', dict(best_as_egt=1), 'best_as_egt must be True or'),
        ('BoxNMS', dict(iou_threshold=float('nan')), 'iou_threshold must be from 0'),
        ('BoxNMS', dict(min_size=float('inf')), 'min_size must be 0 or more'),
        ('BoxNMS', dict(max_num=0), 'max_num must be an integer'),
    ],
)
def test_faulty_settings(name, argument, message):
    with pytest.raises(ValueError, match=message):
        TASK_UTILS.build(dict(type=name, **argument))


@pytest.mark.parametrize('name', ['GreedyBoxGeneration', 'BoxNMS'])
def test_faulty_boxes(name):
    with pytest.raises(ValueError, match='scores must be 3 floats'):
        TASK_UTILS.build(dict(type=name))(torch.zeros(3, 4), torch.zeros(2))
