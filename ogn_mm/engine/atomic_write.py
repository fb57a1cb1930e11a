"""Files that are whole or absent."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import mmengine

PARTIAL = '.{}.partial'


@contextmanager
def atomic_file(
    path: str | Path, mode: str = 'w', durable: bool = False
) -> Iterator[IO]:
    """A file to write to, piece by piece, that takes its name when it is whole.

    Args:
        path (str | Path): The file; its folder is made if need be. What it held is
            replaced.
        mode (str): 'w' for text, which is UTF-8, or 'wb'. Defaults to 'w'.
        durable (bool): Whether to wait until the disk has it, so that a power cut
            loses nothing either. Defaults to False.

    Yields:
        IO: The open file.

    Raises:
        OSError: It cannot be written, e.g. since the disk is full. The error names
            the file, which keeps what it held, and nothing else is left.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(PARTIAL.format(path.name))
    try:
        with scratch.open(mode, encoding=None if 'b' in mode else 'utf-8') as file:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
        os.replace(scratch, path)
    except BaseException as error:
        scratch.unlink(missing_ok=True)
        own = isinstance(error, OSError) and error.filename in (None, str(scratch))
        if own and error.errno is not None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    if durable:
        sync_folder(path.parent)


def write_atomically(
    path: str | Path, content: str | bytes, durable: bool = False
) -> None:
    """Write a file that readers, or a run after a kill, find whole or not at all.

    Args:
        path (str | Path): See :func:`atomic_file`.
        content (str | bytes): Text is written as UTF-8.
        durable (bool): See :func:`atomic_file`.

    Raises:
        OSError: See :func:`atomic_file`.
    """
    mode = 'w' if isinstance(content, str) else 'wb'
    with atomic_file(path, mode, durable) as file:
        file.write(content)


def check_target(option: str, path: str | None, endings: tuple[str, ...]) -> None:
    """Check early that results can be written to a file later.

    Args:
        option (str): That gave the path, for the message.
        path (str, optional): The file; None is not checked.
        endings (tuple[str]): One of these it has to have.

    Raises:
        ValueError: It has another ending, or is a folder.
    """
    if path and not path.endswith(endings):
        kinds = ' or '.join(endings)
        raise ValueError(f'{option} {path}: the file has to end on {kinds}.')
    if path and os.path.isdir(path):
        raise ValueError(f'{option} {path}: is a folder.')


def dump_atomically(content, path: str | Path, **kwargs) -> None:
    """Write what MMEngine can dump, as .json, .yaml or .pkl by the file's ending.

    Args:
        content: Metrics, for example.
        path (str | Path): See :func:`atomic_file`.
        **kwargs: For ``mmengine.dump``.

    Raises:
        OSError: See :func:`atomic_file`.
    """
    kind = Path(path).suffix[1:]
    write_atomically(path, mmengine.dump(content, file_format=kind, **kwargs))


def remove_partial(folder: str | Path) -> None:
    """Delete what a kill left of unfinished writes into a folder, which may be missing.

    Nobody else may be writing there.
    """
    for path in Path(folder).glob(PARTIAL.format('*')):
        path.unlink()


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names of a folder's files, beside their content."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
