"""Files that are whole or absent."""

import os
from pathlib import Path


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
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f'.{path.name}.partial')
    with scratch.open('wb') as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        if durable:
            os.fsync(file.fileno())
    scratch.replace(path)
