"""Checks of boxes and of the settings of their filters.

Each raises ValueError with one sentence that names the argument.
"""

import math
from numbers import Real

from torch import Tensor


def check_in_range(
    name: str, value: float, lowest: float, highest: float = math.inf
) -> None:
    """Check that a number is finite and from ``lowest`` to ``highest``."""
    is_number = isinstance(value, Real)
    if not is_number or not lowest <= value <= highest or math.isinf(value):
        expected = f'from {lowest} to {highest}' if highest < math.inf else '0 or more'
        raise ValueError(f'{name} must be {expected}, got {value!r}')


def check_count(name: str, value: int, lowest: int = 1) -> None:
    """Check that a number of things is an integer of at least ``lowest``."""
    if not isinstance(value, int) or isinstance(value, bool) or value < lowest:
        raise ValueError(f'{name} must be an integer of at least {lowest}, got {value}')


def check_group_iou_thr(value: float) -> None:
    """Check that the IoU of a group's boxes is above 0, as any two have 0 or more."""
    if not isinstance(value, Real) or not 0 < value <= 1:
        raise ValueError(f'group_iou_thr must be above 0 and at most 1, got {value!r}')


def check_gbg_settings(
    min_size: float,
    egt_score_thr: float,
    egt_iou_thr: float,
    group_iou_thr: float,
    top_n: int,
    max_num: int | None,
    best_as_egt: bool,
) -> None:
    """Check the settings of :func:`greedy_box_generation`.

    Raises:
        ValueError: The first that is out of its range.
    """
    check_in_range('min_size', min_size, 0)
    check_in_range('egt_score_thr', egt_score_thr, 0, 1)
    check_in_range('egt_iou_thr', egt_iou_thr, 0, 1)
    check_group_iou_thr(group_iou_thr)
    check_count('top_n', top_n)
    if max_num is not None:
        check_count('max_num', max_num)
    if not isinstance(best_as_egt, bool):
        raise ValueError(f'best_as_egt must be True or False, got {best_as_egt!r}')


def check_boxes(boxes: Tensor, scores: Tensor, batch_inds: Tensor | None) -> None:
    """Check boxes x1, y1, x2, y2 (N, 4), scores (N,) and image indices (N,).

    Raises:
        ValueError: A shape or dtype does not fit, a number is not finite, or a box's
            corners are swapped; names the first such box.
    """
    if boxes.ndim != 2 or boxes.shape[1] != 4 or not boxes.is_floating_point():
        raise ValueError(f'boxes must be floats (N, 4), got {_described(boxes)}')
    number = len(boxes)
    if scores.shape != (number,) or not scores.is_floating_point():
        raise ValueError(
            f'scores must be {number} floats, one for each box, '
            f'got {_described(scores)}'
        )
    if batch_inds is not None and (
        batch_inds.shape != (number,)
        or batch_inds.is_floating_point()
        or batch_inds.is_complex()
    ):
        raise ValueError(
            f'batch_inds must be {number} integers, one for each box, '
            f'got {_described(batch_inds)}'
        )
    _report('boxes', boxes, ~boxes.isfinite().all(dim=1), 'is not finite')
    _report('scores', scores, ~scores.isfinite(), 'is not finite')
    swapped = (boxes[:, 2:] < boxes[:, :2]).any(dim=1)
    _report('boxes', boxes, swapped, 'has x2 < x1 or y2 < y1')


def _described(tensor: Tensor) -> str:
    return f'{tensor.dtype} of shape {tuple(tensor.shape)}'


def _report(name: str, values: Tensor, wrong: Tensor, problem: str) -> None:
    """Raise ValueError about the first row that is wrong, if there is one."""
    if wrong.any():
        row = int(wrong.nonzero()[0])
        raise ValueError(f'{name}[{row}] {problem}: {values[row].tolist()}')
