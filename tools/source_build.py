"""What the installers of compiled packages share.

    python tools/source_build.py

says whether this machine has a C++ compiler and the Python headers.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path


def run_pip(*args):
    """Run pip quietly; return (succeeded, its last line on stderr)."""
    command = [sys.executable, '-m', 'pip', '--disable-pip-version-check']
    done = subprocess.run([*command, *args], capture_output=True, text=True)
    return done.returncode == 0, last_line(done.stderr)


def last_line(text):
    """The last line of ``text`` that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else 'no message'


def problem_of(program, *args):
    """Why the Python source ``program`` fails in a fresh process, None if it runs."""
    command = [sys.executable, '-c', program, *args]
    done = subprocess.run(command, capture_output=True, text=True)
    return None if done.returncode == 0 else last_line(done.stderr)


def missing_tool():
    """What the compiler needs and does not find, as a sentence, or None."""
    compiler = os.environ.get('CXX', 'g++')
    header = Path(sysconfig.get_paths()['include']) / 'Python.h'
    version = '{}.{}'.format(*sys.version_info)
    if shutil.which(compiler.split()[0]) is None:
        return (
            f'The C++ compiler {compiler} was not found: install it '
            '(Debian, Ubuntu: apt install g++).'
        )
    if not header.exists():
        return (
            f'Python.h of Python {version} was not found: install its headers '
            f'(Debian, Ubuntu: apt install python{version}-dev).'
        )
    return None


def fetch_source(name, version, folder):
    """Download and unpack a source distribution into ``folder``; return its own."""
    fetched, reason = run_pip(
        *('download', '--no-deps', '--no-build-isolation', '--no-binary', name),
        *('--dest', str(folder), f'{name}=={version}'),
    )
    if not fetched:
        sys.exit(
            f'The source of {name} {version} could not be downloaded ({reason}): '
            'build on a machine with a network.'
        )
    shutil.unpack_archive(next(folder.glob('*.tar.gz')), folder)
    return folder / f'{name}-{version}'


def rewrite(path, change):
    """Replace the text of the file ``path`` by ``change`` of it."""
    path.write_text(change(path.read_text()))


if __name__ == '__main__':
    sys.exit(missing_tool())
