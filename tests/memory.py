"""Memory of processes, as Linux counts it."""

import os
from pathlib import Path


def resident_memory(pid='self') -> float:
    """All that a process holds, what it shares with others included, in MiB."""
    pages = int(Path(f'/proc/{pid}/statm').read_text().split()[1])
    return pages * os.sysconf('SC_PAGESIZE') / 2**20


def private_memory(pid='self') -> float:
    """What a process does not share with its parent or children, in MiB."""
    fields = dict(
        line.split(':')
        for line in Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines()[1:]
    )
    pages = [fields[f'Private_{kind}'] for kind in ('Clean', 'Dirty')]
    return sum(int(page.split()[0]) for page in pages) / 2**10
