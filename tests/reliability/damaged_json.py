"""One way to damage JSON files, for the fuzz tests of all their readers."""

import copy
import json
import re
from functools import partial

from hypothesis import strategies as st

JUNK = [
    *(None, True, False, -1, 0, 1, 2, 3, 2**31, 2**63, -(2**70), 10**50, 10**400),
    *(0.5, -0.0, 1e-320, 1e300, -1e300, float('nan'), float('inf'), float('-inf')),
    *('', '1', 'nan', 'two\nlines', 'null\0', '\ud800', '../..', 'x' * 300),
    *([], {}, [[]], [None], [1], ['1'], [float('nan')], [[1, 2], [3]], {'id': 1}),
]
DEEP = '<deep>'  # stands for a list in lists, too deep for Python's own writer


def inside(value) -> list:
    """The keys of a list or dict; none of anything else."""
    return list(value) if isinstance(value, dict) else list(range(len(value)))


@st.composite
def places(draw, content):
    """A container anywhere in nested lists and dicts, and a key of it."""
    container, key = content, draw(st.sampled_from(inside(content)))
    while isinstance(container[key], (dict, list)) and container[key]:
        if draw(st.integers(0, 4)) == 0:
            break
        container = container[key]
        key = draw(st.sampled_from(inside(container)))
    return container, key


def drop(draw, container, key):
    del container[key]


def replace(draw, container, key):
    container[key] = copy.deepcopy(draw(st.sampled_from([*JUNK, DEEP])))


def replace_by_number(draw, container, key):
    container[key] = draw(st.floats() | st.integers())


def duplicate(draw, container, key):
    value = copy.deepcopy(container[key])
    if isinstance(container, list):
        container.insert(key, value)
    else:
        container[draw(st.sampled_from(['id', 'x', *container]))] = value


def rename(draw, container, key):
    if isinstance(container, dict):
        name = draw(st.sampled_from(['x', str(key).upper(), f'{key}s']))
        container[name] = container.pop(key)
    else:
        container.reverse()


def empty(draw, container, key):
    value = container[key]
    container[key] = type(value)() if isinstance(value, (dict, list, str)) else None


def wrap(draw, container, key):
    container[key] = [container[key]]


def shorten(draw, container, key):
    value = container[key]
    if isinstance(value, (list, str)):
        container[key] = value[: draw(st.integers(0, max(0, len(value) - 1)))]
    else:
        container[key] = str(value)


DAMAGES = [
    *(drop, replace, replace, replace_by_number),
    *(duplicate, rename, empty, wrap, shorten),
]


@st.composite
def damaged(draw, contents, largest=3):
    """One of some contents with up to ``largest`` places changed.

    Args:
        contents (list): Valid ones, which lists, dicts and plain values make up.
        largest (int): Defaults to 3.
    """
    root = [copy.deepcopy(draw(st.sampled_from(contents)))]
    for _ in range(draw(st.integers(0, largest))):
        if not root:
            break
        container, key = draw(places(root))
        draw(st.sampled_from(DAMAGES))(draw, container, key)
    return root[0] if root else None


def lines(content) -> str:
    """A journal with a value a line; what is no list is one line."""
    values = content if isinstance(content, list) else [content]
    return ''.join(f'{json.dumps(value)}\n' for value in values)


@st.composite
def encoded(draw, content, write=json.dumps) -> bytes:
    """The content as a file: sound, or with something wrong with its bytes."""
    text = write(content)
    if DEEP in text:
        depth = draw(st.sampled_from([50, 2000, 100_000]))
        text = text.replace(f'"{DEEP}"', '[' * depth + ']' * depth)
    if draw(st.integers(0, 3)):
        return text.encode()
    return draw(st.sampled_from(BYTE_DAMAGES))(draw, text)


def cut(draw, text):
    return text[: draw(st.integers(0, len(text)))].encode()


def overwrite(draw, text):
    place, data = draw(st.integers(0, len(text))), text.encode()
    return data[:place] + draw(st.binary(max_size=3)) + data[place + 1 :]


def insert(draw, text):
    place = draw(st.integers(0, len(text)))
    part = draw(st.sampled_from(['9' * 5000, 'e9', '-', '.', ',', '"', '[', '}', '\n']))
    return (text[:place] + part + text[place:]).encode()


def repeat(draw, text):
    place = draw(st.integers(0, len(text)))
    return (text[:place] + text[max(0, place - 20) :]).encode()


def recode(draw, text):
    return text.encode(draw(st.sampled_from(['utf-8-sig', 'utf-16', 'utf-32'])))


def pad(draw, text):
    return draw(st.sampled_from([text * 2, '', '\0' * 20, text + '\0'])).encode()


BYTE_DAMAGES = [cut, overwrite, insert, repeat, recode, pad]


def damaged_json(*contents, largest=3, write=json.dumps):
    """Files of one of some contents, damaged in places, in bytes, or not at all."""
    return damaged(contents, largest).flatmap(partial(encoded, write=write))


def read_or_refuse(read, path, errors=(ValueError, FileNotFoundError)):
    """What a reader makes of a file; None if it refuses it in one sentence.

    Args:
        read (callable): Takes nothing.
        path (Path): Of the file, which the sentence has to name.
        errors (tuple): What a refusal may be. Defaults to what readers of JSON raise.
    """
    try:
        return read()
    except errors as error:
        message = str(error)
    assert path.name in message, message
    assert message.isprintable(), message
    # another error's text is no explanation
    assert not re.search(r'(Error|Exception)\b', message), message
    return None
