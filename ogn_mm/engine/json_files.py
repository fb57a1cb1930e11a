"""JSON files that are not to be trusted: reading and checking, with clear errors.

Each function raises ValueError with one sentence that names the file, the record and
the field.
"""

import json
import reprlib
from collections import Counter
from itertools import chain
from pathlib import Path
from types import UnionType
from typing import NamedTuple, get_args

import numpy as np
from mmengine.fileio import exists, get_text

# Samples are float32: products of two numbers up to this one stay finite.
HUGE = 1e18
# Integers up to this one are the same to all readers of JSON (RFC 8259, section 6).
LARGEST_ID = 2**53
NUMBERS = {int, float}  # but not bool
TOO_DEEP = 'is JSON with lists in lists, or objects in objects, too deep to be meant'


def read_json(path: str):
    """Read a JSON file through MMEngine's file backends.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not JSON.
    """
    if not exists(path):
        raise FileNotFoundError(f'{path}: there is no such file')
    try:
        return json.loads(get_text(path))
    except ValueError as error:
        raise ValueError(f'{path}: is not JSON ({error})') from error
    except RecursionError:
        raise ValueError(f'{path}: {TOO_DEEP}') from None


def read_object(path: str | Path, **kinds: type | UnionType) -> dict:
    """Read a JSON file that holds an object.

    Args:
        path (str | Path): The file.
        **kinds (type): Of fields that it must have.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not JSON, or not such an object.
    """
    content = read_json(str(path))
    check_object(content, str(path), **kinds)
    return content


def check_object(content, source: str, **kinds: type | UnionType) -> None:
    """Raise ValueError unless a value is a JSON object with fields of these kinds."""
    if not isinstance(content, dict):
        raise ValueError(f'{source}: should be a JSON object, found {shown(content)}')
    for name, kind in kinds.items():
        value = content.get(name)
        if type(value) not in (get_args(kind) or (kind,)) or (
            type(value) is int and abs(value) > LARGEST_ID
        ):
            found = shown(content[name]) if name in content else 'nothing'
            expected = getattr(kind, '__name__', kind)
            raise ValueError(
                f"{source}: field '{name}' should be {expected}, found {found}"
            )


def printable(name: str) -> str:
    """A name from a file for messages, which have one line."""
    return name if name.isprintable() else ascii(name)


def explains(reason: str) -> bool:
    """Whether an error's text tells a reader of a damaged file anything.

    One word, as of a KeyError, does not, nor does an error inside another.
    """
    return ' ' in reason and 'Error' not in reason


def shown(value) -> str:
    """A short description of a value for messages."""
    text = reprlib.repr(value)  # which shortens, and does not go deep
    return text if len(text) <= 40 else f'a {type(value).__name__} of {len(value)}'


def to_floats(values: list) -> np.ndarray | None:
    """Numbers, or equally long lists of them, as floats; None for anything else.

    Integers beyond 64 bits are something else as well.
    """
    try:
        # without a type, for numpy takes text for the number that it spells
        array = np.array(values)
    except ValueError:
        return None
    return array.astype(float) if array.dtype.kind in 'iuf' else None


class Records(NamedTuple):
    """A list of JSON objects of one kind, from one file."""

    items: list
    kind: str
    source: str

    def report(self, wrong, problem: str, values=None) -> None:
        """Raise ValueError about the first item that is wrong, if there is one.

        Args:
            wrong (Sequence[bool]): For each item.
            problem (str): What is wrong with it.
            values (Sequence, optional): For each item, what was found instead.
        """
        wrong = np.flatnonzero(wrong)
        if not len(wrong):
            return
        item = self.items[wrong[0]]
        has_id = isinstance(item, dict) and 'id' in item
        name = f'id {shown(item["id"])}' if has_id else f'number {wrong[0]}'
        found = '' if values is None else f', found {shown(values[wrong[0]])}'
        more = f' (and {len(wrong) - 1} more)' if len(wrong) > 1 else ''
        raise ValueError(f'{self.source}: {self.kind} {name}: {problem}{found}{more}')

    def having(self, field: str) -> 'Records':
        """The items that have a field."""
        return self._replace(items=[item for item in self.items if field in item])

    def column(self, field: str, kind: type | UnionType) -> list:
        """The values of a field that all items must have."""
        lacks = [not isinstance(item, dict) or field not in item for item in self.items]
        self.report(lacks, f"field '{field}' is missing")
        values = [item[field] for item in self.items]
        kinds = get_args(kind) or (kind,)
        # not `isinstance`, for which true and false are integers
        if not set(map(type, values)).issubset(kinds):
            wrong = [type(value) not in kinds for value in values]
            expected = getattr(kind, '__name__', kind)
            self.report(wrong, f"'{field}' should be {expected}", values)
        if kind is int:
            beyond = [abs(value) > LARGEST_ID for value in values]
            self.report(beyond, f"'{field}' is beyond {LARGEST_ID}")
        return values

    def flags(self, field: str) -> None:
        """Check a field, if there is one, that says yes or no: 1, 0, true, false."""
        values = [item.get(field, 0) for item in self.items]
        wrong = [value not in (0, 1) for value in values]
        self.report(wrong, f"'{field}' should be 0 or 1", values)

    def unique_ids(self, kind: type = int) -> dict:
        """The ids, as keys in their order."""
        ids = self.column('id', kind)
        counts = Counter(ids)
        self.report([counts[i] > 1 for i in ids], "'id' is not unique")
        return counts

    def numbers(self, field: str, length: int | None = None) -> np.ndarray:
        """The values of a field as floats, (N,), or (N, length) if they are lists."""
        values = self.column(field, int | float if length is None else list)
        if length is not None:
            lengths = list(map(len, values))
            wrong = [found != length for found in lengths]
            self.report(wrong, f"'{field}' should be {length} numbers", lengths)
            if not set(map(type, chain.from_iterable(values))).issubset(NUMBERS):
                alien = [not set(map(type, row)).issubset(NUMBERS) for row in values]
                self.report(alien, f"'{field}' holds something that is not a number")
        array = to_floats(values)
        if array is None:  # there are integers beyond 64 bits
            rows = values if length is not None else [[value] for value in values]
            beyond = [any(abs(v) > HUGE for v in row) for row in rows]
            self.report(beyond, f"'{field}' is beyond {HUGE:g}")
        rows = array.reshape(len(values), length or 1)
        self.report(~np.isfinite(rows).all(axis=1), f"'{field}' is not finite")
        huge = (np.abs(rows) > HUGE).any(axis=1)
        self.report(huge, f"'{field}' is beyond {HUGE:g}")
        return array if length is None else rows
