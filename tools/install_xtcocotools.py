"""Install xtcocotools compiled for the numpy at hand.

Its wheel fits numpy 1 alone. Its source compiles against numpy 2 as well, but then
fails when it is used: it names a flag that numpy 2 dropped in favour of an older
synonym. So an xtcocotools that runs is kept; otherwise the source is compiled with
the synonym.

    python tools/install_xtcocotools.py
"""

import argparse
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from source_build import fetch_source, missing_tool, problem_of, rewrite, run_pip

VERSION = '1.14.3'

# Runs in a fresh process: two boxes of which one is half the other.
CHECK = """
from xtcocotools import mask
overlap = mask.iou([[0, 0, 10, 10]], [[0, 0, 10, 5]], [0])
assert overlap.tolist() == [[0.5]], overlap
"""


def follow_numpy(source):
    """Name the flag as numpy 1 and 2 both do."""
    return source.replace('np.NPY_OWNDATA', 'np.NPY_ARRAY_OWNDATA')


def main():
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    if find_spec('xtcocotools') and problem_of(CHECK) is None:
        print('The installed xtcocotools is kept; it runs.')
        return
    if missing_tool():
        sys.exit(missing_tool())
    if not find_spec('Cython'):
        sys.exit('Cython was not found: pip install -r requirements/build.txt.')
    with tempfile.TemporaryDirectory(prefix='xtcocotools-build-') as folder:
        source = fetch_source('xtcocotools', VERSION, Path(folder))
        rewrite(source / 'xtcocotools' / '_mask.pyx', follow_numpy)
        built, reason = run_pip(
            *('install', '--no-deps', '--no-build-isolation', '--no-cache-dir'),
            *('--force-reinstall', str(source)),
        )
    problem = problem_of(CHECK) if built else reason
    if problem:
        sys.exit(f'xtcocotools {VERSION} could not be compiled: {problem}')
    print(f'Compiled xtcocotools {VERSION}; it runs.')


if __name__ == '__main__':
    main()
