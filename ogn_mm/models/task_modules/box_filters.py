"""Filters of detected boxes that a config can exchange by one line.

Each is called with boxes (N, 4), scores (N,) and, for several images, the image of
each box (N,); it returns the indices of the boxes to keep, by falling score.
"""

import torch
from mmcv.ops import nms
from mmdet.registry import TASK_UTILS
from torch import Tensor

from ogn_mm.structures.bbox import greedy_box_generation
from ogn_mm.structures.bbox.checks import (
    check_boxes,
    check_count,
    check_gbg_settings,
    check_in_range,
)


@TASK_UTILS.register_module()
class GreedyBoxGeneration:
    """Greedy Box Generation (section 3.1.1), built from a config.

    From MMPose it is ``mmdet.GreedyBoxGeneration``.

    Args:
        min_size (float): Smallest width and height in pixels. Defaults to 0.
        egt_score_thr (float): Score above which a box is equivalent ground truth
            (EGT). Defaults to 0.8.
        egt_iou_thr (float): IoU with an EGT that the other boxes need. Defaults to
            0.5.
        group_iou_thr (float): IoU that the boxes of a group have with each other.
            Defaults to 0.7.
        top_n (int): Boxes kept of a group. Defaults to 4.
        max_num (int, optional): Boxes kept of an image. Defaults to no limit.
        best_as_egt (bool): Whether the best box of an image without EGT stands in
            for one. Defaults to True.

    Raises:
        ValueError: An argument is out of its range.
    """

    def __init__(
        self,
        min_size: float = 0.0,
        egt_score_thr: float = 0.8,
        egt_iou_thr: float = 0.5,
        group_iou_thr: float = 0.7,
        top_n: int = 4,
        max_num: int | None = None,
        best_as_egt: bool = True,
    ) -> None:
        self.settings = dict(
            min_size=min_size,
            egt_score_thr=egt_score_thr,
            egt_iou_thr=egt_iou_thr,
            group_iou_thr=group_iou_thr,
            top_n=top_n,
            max_num=max_num,
            best_as_egt=best_as_egt,
        )
        check_gbg_settings(**self.settings)

    def __call__(
        self, boxes: Tensor, scores: Tensor, batch_inds: Tensor | None = None
    ) -> Tensor:
        """See :func:`ogn_mm.structures.bbox.greedy_box_generation`."""
        return greedy_box_generation(boxes, scores, batch_inds, **self.settings)


@TASK_UTILS.register_module()
class BoxNMS:
    """Non-maximum suppression with the call of :class:`GreedyBoxGeneration`.

    Args:
        iou_threshold (float): A box of a higher IoU with a kept, better one of its
            image is dropped; in [0, 1]. Defaults to 0.5.
        min_size (float): Smallest width and height in pixels. Defaults to 0.
        max_num (int, optional): Boxes kept of an image. Defaults to no limit.

    Raises:
        ValueError: An argument is out of its range.
    """

    def __init__(
        self,
        iou_threshold: float = 0.5,
        min_size: float = 0.0,
        max_num: int | None = None,
    ) -> None:
        check_in_range('iou_threshold', iou_threshold, 0, 1)
        check_in_range('min_size', min_size, 0)
        if max_num is not None:
            check_count('max_num', max_num)
        self.iou_threshold = iou_threshold
        self.min_size = min_size
        self.max_num = max_num

    def __call__(
        self, boxes: Tensor, scores: Tensor, batch_inds: Tensor | None = None
    ) -> Tensor:
        """Suppress in float32, as ``mmcv.ops.nms`` does on the CPU.

        Args:
            boxes (Tensor): x1, y1, x2, y2 in pixels, (N, 4).
            scores (Tensor): (N,).
            batch_inds (Tensor, optional): The image of each box, integers, (N,).
                Defaults to one image.

        Returns:
            Tensor: Indices of the kept boxes, int64, by falling score over all
            images.

        Raises:
            ValueError: A shape or dtype does not fit, a box or score is not finite,
                or a box's corners are swapped.
        """
        check_boxes(boxes, scores, batch_inds)
        sides = boxes[:, 2:].double() - boxes[:, :2].double()  # as in GBG
        large = (sides >= self.min_size).all(dim=1)
        rows = large.nonzero()[:, 0]
        images = [rows]
        if batch_inds is not None:
            by_image = batch_inds[rows].sort(stable=True)
            _, counts = by_image.values.unique_consecutive(return_counts=True)
            images = rows[by_image.indices].split(counts.tolist())
        kept = [rows[:0]]
        for rows in images:
            # with an offset for each image, as in `batched_nms`, boxes would lose
            # digits
            _, found = nms(
                boxes[rows].float(), scores[rows].float(), self.iou_threshold
            )
            kept.append(rows[found[: self.max_num]])
        kept = torch.cat(kept).sort().values
        return kept[scores[kept].sort(descending=True, stable=True).indices]
