"""Without a filter it is RPNHead; with one the filter decides, and nobody else."""

import pytest
import torch
from mmdet.models.dense_heads import RPNHead
from mmdet.registry import MODELS, TASK_UTILS
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope

import ogn_mm  # noqa: F401

METAS = [dict(img_shape=(128, 192)), dict(img_shape=(128, 192))]
NMS = ConfigDict(
    nms_pre=200,
    max_per_img=50,
    min_bbox_size=0,
    nms=dict(type='nms', iou_threshold=0.7),
)
NONE = ConfigDict(nms_pre=100000, max_per_img=100000, min_bbox_size=0, nms=None)


@TASK_UTILS.register_module()
class EverySecond:
    """Keep every second box by score."""

    def __call__(self, boxes, scores, batch_inds=None):
        assert boxes.shape == (len(scores), 4)
        return scores.argsort(descending=True, stable=True)[::2]


@pytest.fixture(scope='module')
def heads():
    """The upstream head and ours, with the same weights, and features for both."""
    init_default_scope('mmdet')
    torch.manual_seed(0)
    config = dict(
        in_channels=8,
        feat_channels=8,
        anchor_generator=dict(
            type='AnchorGenerator', scales=[4], ratios=[0.5, 1, 2], strides=[4, 8]
        ),
    )
    upstream = MODELS.build(dict(type='RPNHead', **config)).eval()
    ours = MODELS.build(dict(type='BoxFilterRPNHead', **config)).eval()
    assert isinstance(ours, RPNHead)
    assert not any(ours.load_state_dict(upstream.state_dict()))
    for head in (upstream, ours):
        head.rpn_cls.weight.data *= 1000  # spreads the scores
        head.rpn_reg.weight.data *= 0.1  # keeps the boxes in the image
    features = [torch.randn(2, 8, 32 // s, 48 // s) for s in (1, 2)]
    return upstream, ours, features


def predict(head, features, cfg):
    with torch.no_grad():
        return head.predict_by_feat(*head(features), batch_img_metas=METAS, cfg=cfg)


def assert_same(results, expected):
    for result, other in zip(results, expected, strict=True):
        assert torch.equal(result.bboxes, other.bboxes)
        assert torch.equal(result.scores, other.scores)
        assert torch.equal(result.labels, other.labels)


@pytest.mark.parametrize('cfg', [NMS, ConfigDict(NMS, box_filter=None), NONE])
def test_without_filter_nothing_changes(heads, cfg):
    upstream, ours, features = heads
    results = predict(ours, features, cfg)
    assert_same(results, predict(upstream, features, cfg))


def test_without_nms_thousands_of_boxes_go_on(heads):
    """Three anchors at each of 32 x 48 and 16 x 24 places, in each image."""
    _, ours, features = heads
    for result in predict(ours, features, NONE):
        assert len(result) == 3 * (32 * 48 + 16 * 24)
        assert (result.scores.diff() <= 0).all()


@pytest.mark.parametrize('limit', [7, 100000])
def test_filter_takes_the_place_of_nms(heads, limit):
    """Its choice among all boxes, cut to the best ``max_per_img``."""
    _, ours, features = heads
    cfg = ConfigDict(NMS, nms_pre=100000, max_per_img=limit)
    cfg.box_filter = dict(type='mmdet.EverySecond')
    unfiltered = predict(ours, features, NONE)
    expected = [result[::2][:limit] for result in unfiltered]
    results = predict(ours, features, cfg)
    assert_same(results, expected)
    assert cfg.nms and cfg.max_per_img == limit  # the config is left alone
