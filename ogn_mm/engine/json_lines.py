"""Journals of long work: a JSON value a line, so that a kill loses only the last."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path


def read_json_lines(path: str | Path) -> Iterator:
    """The values of a journal, without those that a kill left unfinished.

    Args:
        path (str | Path): The journal; may be missing.

    Yields:
        What was written, in its order.
    """
    path = Path(path)
    if not path.exists():
        return
    with path.open() as journal:
        for line in journal:
            try:
                value = json.loads(line)
            except ValueError:
                continue
            yield value


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
