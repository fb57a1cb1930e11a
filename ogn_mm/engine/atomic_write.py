"""Files that are whole or absent."""

import os
from pathlib import Path

PARTIAL = '.{}.partial'


def write_atomically(
    path: str | Path, content: str | bytes, durable: bool = False
) -> None:
    """Write a file that readers, or a run after a kill, find whole or not at all.

    Args:
        path (str | Path): The file; its folder is made if need be. What it held is
            replaced.
        content (str | bytes): Text is written as UTF-8.
        durable (bool): Whether to wait until the disk has it, so that a power cut
            loses nothing either. Defaults to False.

    Raises:
        OSError: It cannot be written, e.g. since the disk is full. The error names
            the file, which keeps what it held, and nothing else is left.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(PARTIAL.format(path.name))
    try:
        with scratch.open('wb') as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        scratch.replace(path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error
    if durable:
        sync_folder(path.parent)


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
