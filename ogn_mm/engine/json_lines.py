"""Journals of long work: a JSON value a line, so that a kill loses only the last."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from .json_files import shown


def read_json_lines(path: str | Path, kind: type = object) -> Iterator:
    """The values of a journal, without those that a kill left unfinished.

    Args:
        path (str | Path): The journal; may be missing.
        kind (type): Of every value: dict or list, whose beginnings are no JSON, so
            that no kill can make another. Defaults to any.

    Yields:
        What was written, in its order.

    Raises:
        ValueError: A value is of another kind.
    """
    path = Path(path)
    if not path.exists():
        return
    with path.open('rb') as journal:
        for number, line in enumerate(journal, 1):
            try:
                value = json.loads(line.decode())
            except (ValueError, RecursionError):
                continue
            if not isinstance(value, kind):
                raise ValueError(
                    f'{path}: line {number}: should be a JSON {kind.__name__}, found '
                    f'{shown(value)}'
                )
            yield value


def read_json_pairs(path: str | Path) -> dict[int, list]:
    """A journal of pairs, an id and a list; of equal ids the last counts.

    Args:
        path (str | Path): The journal; may be missing.

    Raises:
        ValueError: A value is no such pair.
    """
    pairs = {}
    for pair in read_json_lines(path, list):
        if list(map(type, pair)) != [int, list]:
            raise ValueError(
                f'{path}: should hold pairs of an id and a list, found {shown(pair)}'
            )
        pairs[pair[0]] = pair[1]
    return pairs


def append_json_lines(journal, values: Iterable) -> None:
    """Write values at the end of a journal, and let the system have them at once.

    Args:
        journal: A text file that is open for appending.
        values (Iterable): What JSON can hold.
    """
    lines = (json.dumps(value, separators=(',', ':')) for value in values)
    # the empty line shuts off one that a kill may have left unfinished
    journal.write('\n' + '\n'.join(lines) + '\n')
    journal.flush()
