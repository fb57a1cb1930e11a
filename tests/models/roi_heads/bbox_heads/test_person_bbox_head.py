"""Choosing people from a box head's classes, against MMDetection's own results."""

import pytest
import torch
from mmcv.ops import nms
from mmdet.registry import MODELS, TASK_UTILS
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope

import ogn_mm  # noqa: F401

SIZES = (300, 0, 200)  # proposals of the images
METAS = [dict(img_shape=(200, 300), scale_factor=(2.0, 2.0)) for _ in SIZES]


@TASK_UTILS.register_module()
class CountingNMS:
    """NMS of each image, and a record of what it was called with."""

    calls = []

    def __call__(self, boxes, scores, batch_inds):
        self.calls.append(batch_inds)
        kept = [
            inds[nms(boxes[inds], scores[inds], 0.5)[1]]
            for i in batch_inds.unique()
            for inds in [(batch_inds == i).nonzero()[:, 0]]
        ]
        return torch.cat(kept)


def build(head, **kwargs):
    init_default_scope('mmdet')
    config = dict(in_channels=4, fc_out_channels=8, roi_feat_size=1, num_classes=5)
    return MODELS.build(dict(type=head, **config, **kwargs)).eval()


def proposals(head, seed=0):
    """What the RoI head hands over: proposals, class scores and deltas."""
    generator = torch.Generator().manual_seed(seed)
    rois, scores, deltas = [], [], []
    channels = 4 if head.reg_class_agnostic else 4 * head.num_classes
    for i, size in enumerate(SIZES):
        low = torch.rand(size, 2, generator=generator) * 100
        extent = 20 + torch.rand(size, 2, generator=generator) * 60
        rois.append(torch.cat([torch.full((size, 1), i), low, low + extent], 1))
        scores.append(3 * torch.randn(size, 6, generator=generator))
        deltas.append(torch.randn(size, channels, generator=generator))
    return dict(rois=rois, cls_scores=scores, bbox_preds=deltas, batch_img_metas=METAS)


def config(**kwargs):
    base = dict(score_thr=0.05, nms=dict(type='nms', iou_threshold=0.5), max_per_img=-1)
    return ConfigDict(base | kwargs)


@pytest.mark.parametrize('agnostic', [False, True])
@pytest.mark.parametrize('label', [0, 3])
@pytest.mark.parametrize(
    'suppression',
    [
        dict(type='nms', iou_threshold=0.5),
        dict(type='soft_nms', iou_threshold=0.5, min_score=0.05),
        None,
    ],
)
def test_nms_is_upstream_s_for_one_class(label, agnostic, suppression):
    """The same people as MMDetection finds among all classes."""
    upstream = build('Shared2FCBBoxHead', reg_class_agnostic=agnostic)
    ours = build('PersonBBoxHead', reg_class_agnostic=agnostic, person_label=label)
    given = proposals(ours)
    cfg = config(nms=suppression)
    results = ours.predict_by_feat(**given, rcnn_test_cfg=cfg, rescale=True)
    expected = upstream.predict_by_feat(**given, rcnn_test_cfg=cfg, rescale=True)
    for result, everything in zip(results, expected, strict=True):
        people = everything[everything.labels == label]
        # boxes of other classes are moved apart before NMS, which costs digits
        assert torch.allclose(result.bboxes, people.bboxes)
        assert torch.allclose(result.scores, people.scores)
        assert result.labels.dtype == torch.long and not result.labels.any()
    assert len(results[0]) > 20 and len(results[1]) == 0


@pytest.mark.parametrize('limit', [-1, 10])
def test_filter_sees_the_whole_batch_and_decides_alone(limit):
    """One call, scores above the threshold alone; equal to NMS where it is NMS."""
    ours = build('PersonBBoxHead', person_label=2)
    given = proposals(ours)
    CountingNMS.calls.clear()
    cfg = config(box_filter=dict(type='CountingNMS'), max_per_img=limit)
    results = ours.predict_by_feat(**given, rcnn_test_cfg=cfg)
    (images,) = CountingNMS.calls
    scores = torch.cat(given['cls_scores']).softmax(-1)[:, 2]
    assert len(images) == (scores > 0.05).sum() and set(images.tolist()) == {0, 2}
    expected = ours.predict_by_feat(**given, rcnn_test_cfg=config(max_per_img=limit))
    for result, other in zip(results, expected, strict=True):
        assert torch.equal(result.bboxes, other.bboxes)
        assert torch.equal(result.scores, other.scores)
        assert torch.equal(result.labels, other.labels)
    assert limit == -1 or len(results[0]) == limit


def test_nothing_above_the_threshold():
    ours = build('PersonBBoxHead')
    for kwargs in ({}, dict(box_filter=dict(type='mmdet.GreedyBoxGeneration'))):
        cfg = config(score_thr=1.0, **kwargs)
        results = ours.predict_by_feat(**proposals(ours), rcnn_test_cfg=cfg)
        assert [len(result) for result in results] == [0, 0, 0]
        assert results[0].bboxes.shape == (0, 4)


def test_without_suppression_every_box_comes_out():
    """Thousands of boxes: one for each proposal."""
    ours = build('PersonBBoxHead')
    low = torch.rand(6000, 2) * 100
    rois = torch.cat([torch.zeros(6000, 1), low, low + 50], 1)
    (result,) = ours.predict_by_feat(
        rois=[rois],
        cls_scores=[torch.randn(6000, 6)],
        bbox_preds=[torch.randn(6000, 20)],
        batch_img_metas=METAS[:1],
        rcnn_test_cfg=config(score_thr=0.0, nms=None),
    )
    assert len(result) == 6000 and (result.scores.diff() <= 0).all()


def test_weights_and_raw_results_are_upstream_s():
    """Aug test asks for all classes by giving no test_cfg."""
    upstream, ours = build('Shared2FCBBoxHead'), build('PersonBBoxHead')
    assert not any(ours.load_state_dict(upstream.state_dict()))
    given = proposals(ours)
    for result, other in zip(
        ours.predict_by_feat(**given), upstream.predict_by_feat(**given), strict=True
    ):
        assert torch.equal(result.bboxes, other.bboxes)
        assert torch.equal(result.scores, other.scores)


@pytest.mark.parametrize('label', [-1, 5])
def test_person_has_to_be_a_class(label):
    with pytest.raises(ValueError, match=rf'0 to 4, got {label}\.'):
        build('PersonBBoxHead', person_label=label)
