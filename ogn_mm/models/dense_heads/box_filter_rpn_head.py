from mmdet.models.dense_heads import RPNHead
from mmdet.registry import MODELS, TASK_UTILS
from mmengine.config import ConfigDict


@MODELS.register_module()
class BoxFilterRPNHead(RPNHead):
    """MMDetection's ``RPNHead`` with a box filter in the place of NMS.

    A proposal config (``test_cfg.rpn``, ``train_cfg.rpn_proposal``) may name a
    ``box_filter`` of ``TASK_UTILS``, for example ``dict(type='GreedyBoxGeneration')``.
    Called with an image's boxes (N, 4) and scores (N,), it returns the kept indices in
    score order, of which the first ``max_per_img`` go on; ``nms`` is then not looked
    at. Without ``box_filter`` this is an ``RPNHead``, where ``nms=None`` lets every box
    go on (Section 3.1.1 of the OGN paper). The weights are the same in any case.
    """

    def _bbox_post_process(self, results, cfg, *args, **kwargs):
        if cfg.get('box_filter') is None:
            return super()._bbox_post_process(results, cfg, *args, **kwargs)
        unlimited = ConfigDict(cfg, nms=None, max_per_img=None)
        results = super()._bbox_post_process(results, unlimited, *args, **kwargs)
        kept = TASK_UTILS.build(cfg.box_filter)(results.bboxes, results.scores)
        return results[kept][: cfg.max_per_img]
