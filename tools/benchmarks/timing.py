"""Timing shared by the benchmark scripts: rivals take turns on one CPU thread.

Figures of one run are comparable with each other, not with those of another
run: quote ratios. A ratio is the median of the per-round ratios, so that a
slow phase of the machine hits both of its sides alike.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import cv2
import numpy as np
import torch


def use_one_thread() -> None:
    """Keep OpenCV and PyTorch to one CPU thread.

    The libraries behind numpy read ``OMP_NUM_THREADS`` when they are loaded:
    set that outside.
    """
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def compare(
    rivals: Mapping[str, Callable[[], object]],
    rounds: int = 30,
    min_time: float = 5e-3,
    track: Callable[[Sequence[int]], Iterable[int]] = iter,
) -> dict[str, np.ndarray]:
    """Time callables in interleaved rounds.

    Args:
        rivals (Mapping[str, Callable]): The functions, called without
            arguments. Each is first called until it is warm.
        rounds (int): Number of rounds. In every round each rival has one
            turn; the order is reversed from one round to the next.
        min_time (float): Seconds that a turn takes at least; fast functions
            are called repeatedly, each by its own count.
        track (Callable): Passes on the rounds and shows how far they are.

    Returns:
        dict[str, np.ndarray]: Seconds a call by rival, shape (rounds,).
    """
    calls = {name: _calls_per_turn(func, min_time) for name, func in rivals.items()}
    seconds = {name: np.empty(rounds) for name in rivals}
    for i in track(range(rounds)):
        for name in list(rivals)[:: -1 if i % 2 else 1]:
            seconds[name][i] = _time_a_call(rivals[name], calls[name])
    return seconds


def _time_a_call(func: Callable[[], object], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        func()
    return (time.perf_counter() - start) / calls


def _calls_per_turn(func: Callable[[], object], min_time: float) -> int:
    """Double the number of calls until they fill ``min_time``."""
    func()
    calls = 1
    while _time_a_call(func, calls) * calls < min_time:
        calls *= 2
    return calls


def median_ratio(seconds: np.ndarray, baseline: np.ndarray) -> float:
    """Median of the per-round ratios of two rivals timed together."""
    return float(np.median(np.asarray(seconds) / np.asarray(baseline)))


def comparison_rows(seconds: Mapping[str, np.ndarray], baseline: str) -> list[tuple]:
    """One row for each rival: name, median microseconds, ratio to a baseline.

    Args:
        seconds (Mapping[str, np.ndarray]): What :func:`compare` returned.
        baseline (str): The rival that counts as 1.
    """
    return [
        (name, np.median(values) * 1e6, median_ratio(values, seconds[baseline]))
        for name, values in seconds.items()
    ]


def format_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; floats get three significant digits at most.

    Args:
        header (Sequence[str]): Column titles.
        rows (Sequence[Sequence]): Cells; a float is rounded, ``None`` is left
            empty, all else goes through ``str``.
    """
    cells = [list(header)] + [[_format_cell(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    rule = ['-' * width for width in widths]
    return '\n'.join(
        '| ' + ' | '.join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + ' |'
        for row in [cells[0], rule, *cells[1:]]
    )


def _format_cell(cell: object) -> str:
    if cell is None:
        return ''
    if isinstance(cell, float):
        return f'{cell:.0f}' if abs(cell) >= 100 else f'{cell:.3g}'
    return str(cell)
