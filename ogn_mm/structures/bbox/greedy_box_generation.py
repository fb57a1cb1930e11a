"""Greedy Box Generation (section 3.1.1): a filter that keeps redundant boxes.

Choosing is sequential and its steps are short, so it runs on the CPU in numpy; boxes
on a GPU are copied to the host first.
"""

import numpy as np
import torch
from torch import Tensor

from .box_groups import (
    BLOCK,
    PART,
    box_centres,
    box_rows,
    box_windows,
    boxes_overlap,
    group_boxes,
)
from .checks import check_boxes, check_gbg_settings


@np.errstate(divide='ignore', invalid='ignore', over='ignore')
def greedy_box_generation(
    boxes: Tensor,
    scores: Tensor,
    batch_inds: Tensor | None = None,
    *,
    min_size: float = 0.0,
    egt_score_thr: float = 0.8,
    egt_iou_thr: float = 0.5,
    group_iou_thr: float = 0.7,
    top_n: int = 4,
    max_num: int | None = None,
    best_as_egt: bool = True,
) -> Tensor:
    """Choose boxes by Greedy Box Generation (section 3.1.1 of the OGN paper).

    In every image:

    1. Boxes of which width or height is below ``min_size`` are dropped.
    2. Boxes with a score above ``egt_score_thr`` are equivalent ground truth (EGT).
    3. The others are dropped if their IoU with every EGT is below ``egt_iou_thr``.
    4. The rest is divided into groups in which every pair has an IoU of at least
       ``group_iou_thr``. Boxes are visited by falling score, equal ones by index; a
       box joins the oldest group in which it may be, else it founds one.
    5. The first ``top_n`` of each group are kept. The others are members still:
       they decide who may join.

    The paper does not say how groups are found nor what happens without EGT; the
    order in 4 and ``best_as_egt`` are ours. Widths, heights and IoU are computed in
    float64, IoU as intersection / (area + area - intersection): a tie with a
    threshold is met exactly where coordinates are integers. The IoU of a box without
    area is 0. Scores are compared with the threshold in their own dtype.

    Memory grows as N, not as N^2. Boxes on a GPU are copied to the host.

    Args:
        boxes (Tensor): x1, y1, x2, y2 in pixels, x1 <= x2 and y1 <= y2, any floating
            dtype, (N, 4).
        scores (Tensor): Any floating dtype, (N,).
        batch_inds (Tensor, optional): The image of each box, integers, (N,). Defaults
            to one image.
        min_size (float): Smallest width and height in pixels. Defaults to 0.
        egt_score_thr (float): In [0, 1]. Defaults to 0.8.
        egt_iou_thr (float): In [0, 1]; 0 leaves step 3 out. Defaults to 0.5.
        group_iou_thr (float): In (0, 1]. Defaults to 0.7.
        top_n (int): Boxes kept of a group, at least 1. Defaults to 4.
        max_num (int, optional): Boxes kept of an image, those of the highest scores.
            Defaults to no limit.
        best_as_egt (bool): Whether the best box of an image without EGT stands in
            for one; otherwise nothing of such an image is kept. Defaults to True.

    Returns:
        Tensor: Indices of the kept boxes, int64, on the device of ``boxes``, by
        falling score over all images, equal scores by index.

    Raises:
        ValueError: An argument is out of its range, a shape or dtype does not fit, a
            box or score is not finite, or a box's corners are swapped.
    """
    check_gbg_settings(
        min_size,
        egt_score_thr,
        egt_iou_thr,
        group_iou_thr,
        top_n,
        max_num,
        best_as_egt,
    )
    check_boxes(boxes, scores, batch_inds)
    by_score = scores.detach().sort(descending=True, stable=True).indices
    order = by_score.cpu().numpy()
    is_egt = (scores > scores.new_tensor(egt_score_thr)).cpu().numpy()
    corners = boxes.detach().cpu().double().numpy()

    kept = []
    for rows in _by_image(order, batch_inds):
        inside = (corners[rows, 2:] - corners[rows, :2] >= min_size).all(axis=1)
        rows = rows[inside]
        num_egt = np.count_nonzero(is_egt[rows])
        if best_as_egt:
            num_egt = max(num_egt, 1)
        image = box_rows(corners[rows])
        chosen = _near_egt(image, num_egt, egt_iou_thr)
        groups = group_boxes(corners[rows[chosen]], group_iou_thr)
        chosen = chosen[_place_in_group(groups) < top_n]
        kept.append(rows[chosen[:max_num]])
    is_kept = np.zeros(len(order), bool)
    if kept:
        is_kept[np.concatenate(kept)] = True
    return torch.from_numpy(order[is_kept[order]]).to(boxes.device)


def _by_image(order: np.ndarray, batch_inds: Tensor | None) -> list[np.ndarray]:
    """Split the order of visiting by images."""
    if batch_inds is None:
        return [order]
    images = batch_inds.cpu().numpy()[order]
    order = order[np.argsort(images, kind='stable')]
    return np.split(order, np.flatnonzero(np.diff(np.sort(images))) + 1)


def _place_in_group(groups: np.ndarray) -> np.ndarray:
    """How many boxes of the same group come before each."""
    by_group = np.argsort(groups, kind='stable')
    first = np.searchsorted(groups[by_group], groups)
    place = np.empty_like(groups)
    place[by_group] = np.arange(len(groups))
    return place - first


def _near_egt(boxes: np.ndarray, num_egt: int, iou_thr: float) -> np.ndarray:
    """Indices of the EGT, which come first, and of the boxes that overlap one."""
    indices = np.arange(boxes.shape[1])
    if num_egt == 0 or iou_thr == 0:
        return indices if num_egt else indices[:0]
    near = indices < num_egt
    egt = boxes[:, :num_egt]
    # A few EGT settle most boxes, so that the many meet few.
    for stride in sorted({max(1, num_egt // BLOCK), 1}, reverse=True):
        rest = np.flatnonzero(~near)
        near[rest] = _overlap_any(boxes.take(rest, axis=1), egt[:, ::stride], iou_thr)
    return indices[near]


def _overlap_any(boxes: np.ndarray, others: np.ndarray, iou_thr: float) -> np.ndarray:
    """Which boxes overlap any of the others, (N,)."""
    # Neighbours share a block: in strips of equal numbers by x, then by y.
    x, y = box_centres(others)
    strip = x.argsort().argsort() // int((BLOCK * max(1, len(x))) ** 0.5)
    others = others.take(np.lexsort((y, strip)), axis=1)
    low, high = box_windows(others, iou_thr)

    by_x = box_centres(boxes)[0].argsort()
    boxes = boxes.take(by_x, axis=1)
    (x, y), area = box_centres(boxes), boxes[4]
    found = np.zeros(len(x), bool)
    for i in range(0, others.shape[1], BLOCK):
        block = others[:, i : i + BLOCK, None]
        x_low, y_low, smallest = low[:, i : i + BLOCK].min(axis=1)
        x_high, y_high, largest = high[:, i : i + BLOCK].max(axis=1)
        first, last = x.searchsorted(x_low), x.searchsorted(x_high, side='right')
        near = slice(first, last)
        pending = first + np.flatnonzero(
            ~found[near]
            & (y[near] >= y_low)
            & (y[near] <= y_high)
            & (area[near] >= smallest)
            & (area[near] <= largest)
        )
        for part in np.array_split(pending, len(pending) // PART + 1):
            some = boxes.take(part, axis=1)[:, None]
            found[part] = boxes_overlap(some, block, iou_thr).any(axis=0)
    result = np.empty_like(found)
    result[by_x] = found
    return result
