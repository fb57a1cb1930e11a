from itertools import product

import torch
import torch.nn.functional as F
from mmdet.models.layers import multiclass_nms
from mmdet.models.roi_heads.bbox_heads import Shared2FCBBoxHead
from mmdet.registry import MODELS, TASK_UTILS
from mmengine.structures import InstanceData


class PersonBoxMixin:
    """People alone, chosen by NMS or by a box filter; before any ``BBoxHead``.

    In testing the person's score and box are picked from those of all classes, then
    ``test_cfg.rcnn`` says which of the boxes are kept:

    - ``score_thr``: only scores above it count;
    - ``box_filter`` (dict, optional): a filter of ``TASK_UTILS`` in the place of NMS,
      for example ``dict(type='GreedyBoxGeneration')``. Called once for the batch, with
      boxes (N, 4), scores (N,) and image indices (N,), it returns the kept indices, in
      score order within an image;
    - ``nms``: without ``box_filter``, as in MMDetection; None keeps every box;
    - ``max_per_img``: the best of the kept boxes, all if negative.

    The results have label 0, whatever ``person_label`` is: a data set with
    ``metainfo=dict(classes=('person',))`` fits. A mask head picks its channel by this
    label, so that masks need ``person_label=0``, as COCO's person has.

    Training and the refinement between Cascade R-CNN's stages are untouched. A head of
    one class also loads the weights of a head with more: those of the first class, in
    COCO the person, and of the background.

    Args:
        *args: As for the box head.
        person_label (int): The person among the head's classes. Defaults to 0, which
            it is in COCO.
        **kwargs: As for the box head.

    Raises:
        ValueError: The head has no class ``person_label``.
    """

    def __init__(self, *args, person_label: int = 0, **kwargs):
        super().__init__(*args, **kwargs)
        if not 0 <= person_label < self.num_classes:
            raise ValueError(
                f'`person_label` should be a class of the box head, 0 to '
                f'{self.num_classes - 1}, got {person_label}.'
            )
        self.person_label = person_label

    def _load_from_state_dict(self, state_dict, prefix, *args):
        if self.num_classes == 1:
            # the background comes last
            rows = dict(fc_cls=[0, -1], fc_reg=[0, 1, 2, 3])
            for layer, kind in product(rows, ('weight', 'bias')):
                name = f'{prefix}{layer}.{kind}'
                if name in state_dict:
                    state_dict[name] = state_dict[name][rows[layer]]
        super()._load_from_state_dict(state_dict, prefix, *args)

    def predict_by_feat(self, *args, rcnn_test_cfg=None, **kwargs):
        # Without a test_cfg: decoded boxes and scores of all classes.
        results = super().predict_by_feat(*args, rcnn_test_cfg=None, **kwargs)
        if rcnn_test_cfg is None:
            return results
        people = [self._pick_person(result) for result in results]
        if rcnn_test_cfg.get('box_filter') is None:
            return [self._suppress(*person, rcnn_test_cfg) for person in people]
        return filter_boxes(people, rcnn_test_cfg)

    def _pick_person(self, result):
        """Boxes (N, 4) and scores (N,) of an image's people."""
        boxes = result.bboxes
        # One box for all classes, or no proposals, comes as (N, 4).
        if boxes.shape[1] > 4:
            boxes = boxes[:, 4 * self.person_label : 4 * self.person_label + 4]
        return boxes, result.scores[:, self.person_label]

    def _suppress(self, boxes, scores, cfg):
        """MMDetection's NMS for the person alone."""
        # the zeros stand for the background
        kept, labels = multiclass_nms(
            boxes,
            F.pad(scores[:, None], (0, 1)),
            cfg.score_thr,
            cfg.nms,
            cfg.max_per_img,
        )
        return InstanceData(bboxes=kept[:, :4], scores=kept[:, 4], labels=labels)


def filter_boxes(people, cfg) -> list[InstanceData]:
    """Apply ``cfg.box_filter`` to all images at once.

    Args:
        people (list[tuple]): Boxes (N, 4) and scores (N,) of each image.
        cfg (ConfigDict): With ``score_thr``, ``box_filter`` and ``max_per_img``.

    Returns:
        list[InstanceData]: ``bboxes``, ``scores`` and ``labels`` (zeros) of each image.
    """
    boxes, scores = (torch.cat(parts) for parts in zip(*people, strict=True))
    images = torch.repeat_interleave(
        torch.arange(len(people), device=boxes.device),
        torch.tensor([len(part) for _, part in people], device=boxes.device),
    )
    above = scores > cfg.score_thr
    boxes, scores, images = boxes[above], scores[above], images[above]
    kept = TASK_UTILS.build(cfg.box_filter)(boxes, scores, images)
    boxes, scores, images = boxes[kept], scores[kept], images[kept]
    limit = cfg.max_per_img if cfg.max_per_img > 0 else None
    results = []
    for i in range(len(people)):
        own = (images == i).nonzero()[:limit, 0]
        labels = torch.zeros_like(own)
        results.append(
            InstanceData(bboxes=boxes[own], scores=scores[own], labels=labels)
        )
    return results


@MODELS.register_module()
class PersonBBoxHead(PersonBoxMixin, Shared2FCBBoxHead):
    """The box head of Faster, Mask and Cascade R-CNN, for people alone."""
