"""What the installers share, and tools/install_xtcocotools.py."""

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[1] / 'tools'
sys.path.append(str(TOOLS))
import install_xtcocotools  # noqa: E402
import source_build  # noqa: E402


def test_this_machine_can_build():
    assert source_build.missing_tool() is None


def test_missing_compiler(monkeypatch):
    monkeypatch.setenv('CXX', 'no-such-compiler')
    problem = source_build.missing_tool()
    assert 'no-such-compiler was not found' in problem
    done = subprocess.run(
        [sys.executable, TOOLS / 'source_build.py'], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr.strip()) == (1, problem)


def test_missing_python_headers(monkeypatch, tmp_path):
    paths = {'include': str(tmp_path)}
    monkeypatch.setattr(source_build.sysconfig, 'get_paths', lambda: paths)
    assert 'Python.h' in source_build.missing_tool()
    assert '-dev' in source_build.missing_tool()


def test_problem_of_a_program():
    assert (
        source_build.problem_of('import sys; assert sys.argv[1:] == ["a"]', 'a') is None
    )
    assert source_build.problem_of('import no_such') == (
        "ModuleNotFoundError: No module named 'no_such'"
    )


def test_source_is_unpacked(monkeypatch, tmp_path):
    def download(*args):
        (tmp_path / 'setup.py').write_text('')
        with tarfile.open(tmp_path / 'mmcv-2.1.0.tar.gz', 'w:gz') as archive:
            archive.add(tmp_path / 'setup.py', 'mmcv-2.1.0/setup.py')
        return True, ''

    monkeypatch.setattr(source_build, 'run_pip', download)
    source = source_build.fetch_source('mmcv', '2.1.0', tmp_path)
    assert (source / 'setup.py').is_file()


def test_unreachable_source(monkeypatch, tmp_path):
    monkeypatch.setattr(source_build, 'run_pip', lambda *args: (False, 'no route'))
    with pytest.raises(
        SystemExit, match='mmcv 2.1.0 could not be downloaded .no route'
    ):
        source_build.fetch_source('mmcv', '2.1.0', tmp_path)


def test_installed_xtcocotools_runs():
    """Its import succeeds with any numpy; what fails is its use."""
    assert source_build.problem_of(install_xtcocotools.CHECK) is None


def test_flag_that_numpy_2_dropped():
    line = 'PyArray_ENABLEFLAGS(iou, np.NPY_OWNDATA)'
    changed = 'PyArray_ENABLEFLAGS(iou, np.NPY_ARRAY_OWNDATA)'
    assert install_xtcocotools.follow_numpy(line) == changed
    assert install_xtcocotools.follow_numpy(changed) == changed


@pytest.mark.parametrize('name', ['install_mmcv', 'install_xtcocotools'])
def test_installers_run_before_anything_is_installed(name):
    """They import nothing but the standard library before they check."""
    program = f'import sys; sys.path.append({str(TOOLS)!r}); import {name}'
    subprocess.run([sys.executable, '-S', '-I', '-c', program], check=True)
