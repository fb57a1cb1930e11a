"""Greedy Box Generation (section 3.1.1): a filter that keeps redundant boxes.

Choosing is sequential and its steps are short, so it runs on the CPU in numpy; boxes
on a GPU are copied to the host first. Groups are built one after the other, each by
a few vectorised steps: only boxes whose centres lie near the founder's are looked at,
and those compatible with it are settled in blocks.

Inside this module boxes are float64 arrays (5, N) with the rows -x1, -y1, x2, y2 and
area: the corners of an intersection are then one minimum.
"""

import numpy as np
import torch
from torch import Tensor

from .checks import check_boxes, check_gbg_settings, check_group_iou_thr

# Boxes that are compared with many others at once.
BLOCK = 64
# Boxes that a block is compared with at once: what fits into a processor's cache.
PART = 256
# Number of boxes from which on bounding a block by one box pays.
LARGE = 512
# Number of boxes up to which all pairs are compared.
FEW = 1024
# Windows are wider by this share of the largest coordinate, because of rounding.
SLACK = 1e-9


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
        image = _rows(corners[rows])
        chosen = _near_egt(image, num_egt, egt_iou_thr)
        groups = _group(image.take(chosen, axis=1), group_iou_thr)
        chosen = chosen[_place_in_group(groups) < top_n]
        kept.append(rows[chosen[:max_num]])
    is_kept = np.zeros(len(order), bool)
    if kept:
        is_kept[np.concatenate(kept)] = True
    return torch.from_numpy(order[is_kept[order]]).to(boxes.device)


@np.errstate(divide='ignore', invalid='ignore', over='ignore')
def group_boxes(boxes: np.ndarray, iou_thr: float = 0.7) -> np.ndarray:
    """Divide boxes into groups in which every pair overlaps (section 3.1.1).

    A box joins the oldest group of which it overlaps every member, else it founds
    one.

    Args:
        boxes (np.ndarray): x1, y1, x2, y2 in the order of visiting, i.e. by falling
            score, (N, 4).
        iou_thr (float): Smallest IoU of a pair, in (0, 1]. Defaults to 0.7.

    Returns:
        np.ndarray: The group of each box, 0, 1, ... from the oldest on, int64, (N,).

    Raises:
        ValueError: ``iou_thr`` is out of its range.
    """
    check_group_iou_thr(iou_thr)
    return _group(_rows(np.asarray(boxes, np.float64)), iou_thr)


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


def _rows(boxes: np.ndarray) -> np.ndarray:
    """From x1, y1, x2, y2 (N, 4) to -x1, -y1, x2, y2, area (5, N)."""
    x1, y1, x2, y2 = boxes.T
    return np.stack([-x1, -y1, x2, y2, (x2 - x1) * (y2 - y1)])


def _overlap(a: np.ndarray, b: np.ndarray, iou_thr: float) -> np.ndarray:
    """Which boxes have an IoU of at least ``iou_thr``, after broadcasting."""
    corners = np.minimum(a[:4], b[:4])
    width, height = corners[:2] + corners[2:]
    # where both are negative their product would pass for an area
    intersection = np.maximum(width, 0) * height
    # without area it is 0 / 0, which is not >= anything
    return intersection / (a[4] + b[4] - intersection) >= iou_thr


def _centres(boxes: np.ndarray) -> np.ndarray:
    """Twice the centres x and y, (2, N)."""
    return boxes[2:4] - boxes[:2]


def _windows(boxes: np.ndarray, iou_thr: float) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest :func:`_centres` and area of what may overlap a box, (3, N).

    IoU t with a box of width w needs a centre within (1 - t) / (2 t) w of its own:
    then the wider of the two just contains the other. The same holds for heights. It
    needs an area between t and 1 / t of its own.
    """
    reach = (boxes[2:4] + boxes[:2]) * ((1 - iou_thr) / iou_thr)
    reach += SLACK * np.abs(boxes[:4]).max(initial=0)
    centres = _centres(boxes)
    ratio = iou_thr * (1 - SLACK)
    return (
        np.vstack([centres - reach, boxes[4] * ratio]),
        np.vstack([centres + reach, boxes[4] / ratio]),
    )


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
    x, y = _centres(others)
    strip = x.argsort().argsort() // int((BLOCK * max(1, len(x))) ** 0.5)
    others = others.take(np.lexsort((y, strip)), axis=1)
    low, high = _windows(others, iou_thr)

    by_x = _centres(boxes)[0].argsort()
    boxes = boxes.take(by_x, axis=1)
    (x, y), area = _centres(boxes), boxes[4]
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
            found[part] = _overlap(some, block, iou_thr).any(axis=0)
    result = np.empty_like(found)
    result[by_x] = found
    return result


def _group(boxes: np.ndarray, iou_thr: float) -> np.ndarray:
    """Groups of boxes (5, N) that are sorted by falling score, (N,).

    Visiting the boxes one by one gives the same groups as building one group after
    the other, each from all that the older ones left. The first groups are the
    largest; once few boxes are left, the many small groups are built from bits.
    """
    groups = np.empty(boxes.shape[1], np.int64)
    number = 0
    rest = np.arange(boxes.shape[1])
    while len(rest) > FEW:
        free = boxes.take(rest, axis=1)
        by_centre = _centres(free)[0].argsort()
        place = np.empty_like(by_centre)
        place[by_centre] = np.arange(len(rest))
        by_x = free.take(by_centre, axis=1)
        centre = _centres(by_x)[0]
        low, high = _windows(free, iou_thr)
        first = centre.searchsorted(low[0])
        last = centre.searchsorted(high[0], side='right')
        is_free = np.ones(len(rest), bool)
        num_free, founder = len(rest), 0
        while num_free > max(FEW, len(rest) // 2):
            founder += int(is_free[founder:].argmax())
            window = slice(first[founder], last[founder])
            near = _overlap(by_x[:, window], free[:, founder, None], iou_thr)
            members = by_centre[window][near]
            members.sort()
            if len(members) > 2:
                members = members[_compatible(free.take(members, axis=1), iou_thr)]
            elif not len(members):  # a box without area
                members = np.array([founder])
            groups[rest[members]] = number
            number += 1
            is_free[members] = False
            num_free -= len(members)
            # with an endless area it overlaps nothing any more
            by_x[4, place[members]] = np.inf
        rest = rest[is_free]
    groups[rest] = number + _group_few(boxes.take(rest, axis=1), iou_thr)
    return groups


def _group_few(boxes: np.ndarray, iou_thr: float) -> np.ndarray:
    """:func:`_group` by comparing all pairs, in memory that grows with their number."""
    rows = _bits(_overlap_pairs(boxes, iou_thr))
    groups = np.empty(len(rows), np.int64)
    number = 0
    free = (1 << len(rows)) - 1
    while free:
        members = _first_fit(free, rows)
        groups[members] = number
        number += 1
        for member in members:
            free ^= 1 << member
    return groups


def _overlap_pairs(boxes: np.ndarray, iou_thr: float) -> np.ndarray:
    """Which boxes overlap which, bool, (N, N)."""
    by_x = _centres(boxes)[0].argsort()
    boxes = boxes.take(by_x, axis=1)
    last = _centres(boxes)[0].searchsorted(_windows(boxes, iou_thr)[1][0], side='right')
    overlap = np.zeros((len(by_x), len(by_x)), bool)
    for i in range(0, len(by_x), BLOCK):
        block = slice(i, i + BLOCK)
        near = slice(i, last[block].max())  # those further left have met the block
        found = _overlap(boxes[:, block, None], boxes[:, None, near], iou_thr)
        overlap[block, near] = found
        overlap[near, block] = found.T
    place = by_x.argsort()
    return overlap.take(place, axis=0).take(place, axis=1)


def _compatible(boxes: np.ndarray, iou_thr: float) -> np.ndarray:
    """Indices of the boxes that overlap all those before them that do so too."""
    left = np.arange(boxes.shape[1])
    chosen = []
    while True:
        block = boxes[:, :BLOCK]
        rows = _bits(_overlap(block[:, :, None], block[:, None], iou_thr))
        fits = _first_fit((1 << len(rows)) - 1, rows)
        chosen.append(left[fits])
        if len(left) <= BLOCK:
            return np.concatenate(chosen)
        members = block.take(fits, axis=1)
        rest = BLOCK + _overlap_all(boxes[:, BLOCK:], members, iou_thr)
        left = left[rest]
        boxes = boxes.take(rest, axis=1)


def _overlap_all(boxes: np.ndarray, members: np.ndarray, iou_thr: float) -> np.ndarray:
    """Indices of the boxes that overlap every member."""
    if boxes.shape[1] < LARGE:
        overlap = _overlap(boxes[:, None], members[:, :, None], iou_thr)
        return overlap.all(axis=0).nonzero()[0]
    # The members' intersection with the largest of their areas stands for each: as
    # rounding is monotone, its IoU is at most that of any member.
    bound = np.append(members[:4].min(axis=1), members[4].max())
    result = _overlap(boxes, bound[:, None], iou_thr)
    unclear = (~result).nonzero()[0]
    for part in np.array_split(unclear, len(unclear) // PART + 1):
        near = boxes.take(part, axis=1)[:, None]
        result[part] = _overlap(near, members[:, :, None], iou_thr).all(axis=0)
    return result.nonzero()[0]


def _bits(overlap: np.ndarray) -> list[int]:
    """Which others each box overlaps: bit j of the integer i stands for box j.

    Args:
        overlap (np.ndarray): bool, (N, N); its diagonal becomes False.
    """
    np.fill_diagonal(overlap, False)
    packed = np.packbits(overlap, axis=1, bitorder='little')
    as_bytes = packed.view(f'V{packed.shape[1]}').ravel().tolist()
    return [int.from_bytes(row, 'little') for row in as_bytes]


def _first_fit(candidates: int, overlap: list[int]) -> list[int]:
    """Indices of the candidates that overlap all those before them that do so too.

    Args:
        candidates (int): Bit i stands for box i.
        overlap (list[int]): Of :func:`_bits`.
    """
    chosen = []
    while candidates:
        chosen.append((candidates & -candidates).bit_length() - 1)
        candidates &= overlap[chosen[-1]]
    return chosen
