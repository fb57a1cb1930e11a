"""Groups of boxes that overlap one another, for Greedy Box Generation.

Groups are built one after the other, each by a few vectorised steps: only boxes whose
centres lie near the founder's are looked at, and those compatible with it are settled
in blocks.

Inside, boxes are float64 arrays (5, N) with the rows -x1, -y1, x2, y2 and area: the
corners of an intersection are then one minimum.
"""

import numpy as np

from .checks import check_group_iou_thr

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
    return _group(box_rows(np.asarray(boxes, np.float64)), iou_thr)


def box_rows(boxes: np.ndarray) -> np.ndarray:
    """From x1, y1, x2, y2 (N, 4) to -x1, -y1, x2, y2, area (5, N)."""
    x1, y1, x2, y2 = boxes.T
    return np.stack([-x1, -y1, x2, y2, (x2 - x1) * (y2 - y1)])


def boxes_overlap(a: np.ndarray, b: np.ndarray, iou_thr: float) -> np.ndarray:
    """Which boxes have an IoU of at least ``iou_thr``, after broadcasting."""
    corners = np.minimum(a[:4], b[:4])
    width, height = corners[:2] + corners[2:]
    # where both are negative their product would pass for an area
    intersection = np.maximum(width, 0) * height
    # without area it is 0 / 0, which is not >= anything
    return intersection / (a[4] + b[4] - intersection) >= iou_thr


def box_centres(boxes: np.ndarray) -> np.ndarray:
    """Twice the centres x and y, (2, N)."""
    return boxes[2:4] - boxes[:2]


def box_windows(boxes: np.ndarray, iou_thr: float) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest centres and area of what may overlap a box, (3, N).

    IoU t with a box of width w needs a centre within (1 - t) / (2 t) w of its own:
    then the wider of the two just contains the other. The same holds for heights. It
    needs an area between t and 1 / t of its own. Centres are doubled, as those of
    :func:`box_centres`.
    """
    reach = (boxes[2:4] + boxes[:2]) * ((1 - iou_thr) / iou_thr)
    reach += SLACK * np.abs(boxes[:4]).max(initial=0)
    centres = box_centres(boxes)
    ratio = iou_thr * (1 - SLACK)
    return (
        np.vstack([centres - reach, boxes[4] * ratio]),
        np.vstack([centres + reach, boxes[4] / ratio]),
    )


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
        by_centre = box_centres(free)[0].argsort()
        place = np.empty_like(by_centre)
        place[by_centre] = np.arange(len(rest))
        by_x = free.take(by_centre, axis=1)
        centre = box_centres(by_x)[0]
        low, high = box_windows(free, iou_thr)
        first = centre.searchsorted(low[0])
        last = centre.searchsorted(high[0], side='right')
        is_free = np.ones(len(rest), bool)
        num_free, founder = len(rest), 0
        while num_free > max(FEW, len(rest) // 2):
            founder += int(is_free[founder:].argmax())
            window = slice(first[founder], last[founder])
            near = boxes_overlap(by_x[:, window], free[:, founder, None], iou_thr)
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
    by_x = box_centres(boxes)[0].argsort()
    boxes = boxes.take(by_x, axis=1)
    centre, (_, high) = box_centres(boxes)[0], box_windows(boxes, iou_thr)
    last = centre.searchsorted(high[0], side='right')
    overlap = np.zeros((len(by_x), len(by_x)), bool)
    for i in range(0, len(by_x), BLOCK):
        block = slice(i, i + BLOCK)
        near = slice(i, last[block].max())  # those further left have met the block
        found = boxes_overlap(boxes[:, block, None], boxes[:, None, near], iou_thr)
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
        rows = _bits(boxes_overlap(block[:, :, None], block[:, None], iou_thr))
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
        overlap = boxes_overlap(boxes[:, None], members[:, :, None], iou_thr)
        return overlap.all(axis=0).nonzero()[0]
    # The members' intersection with the largest of their areas stands for each: as
    # rounding is monotone, its IoU is at most that of any member.
    bound = np.append(members[:4].min(axis=1), members[4].max())
    result = boxes_overlap(boxes, bound[:, None], iou_thr)
    unclear = (~result).nonzero()[0]
    for part in np.array_split(unclear, len(unclear) // PART + 1):
        near = boxes.take(part, axis=1)[:, None]
        result[part] = boxes_overlap(near, members[:, :, None], iou_thr).all(axis=0)
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
