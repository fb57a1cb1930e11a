"""One study or suite at a time in a folder, also after a kill."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO


@contextlib.contextmanager
def lock_folder(folder: Path, name: str = '.lock') -> Iterator[TextIO]:
    """Keep others from working in a folder, which is made if need be.

    Args:
        folder (Path): The folder.
        name (str): Of the file that is locked in it. Defaults to ``.lock``.

    Yields:
        TextIO: The lock. Processes that are given its descriptor (``pass_fds``) hold
        it, too: while one is left, nobody else works there.

    Raises:
        ValueError: Another process works there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open('w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ValueError(
                f'runs in {folder} are still going on; wait or end them'
            ) from error
        yield lock
