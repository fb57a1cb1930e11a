"""The version gate: what `import ogn_mm` refuses and what it says."""

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import ogn_mm
from ogn_mm import COMPILED, REQUIRED, check_packages, check_version, install_command
from ogn_mm.evaluation.functional.posetrack_identity import REQUIREMENT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # comes with pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / 'pyproject.toml').read_text())


@pytest.mark.parametrize('name', REQUIRED)
def test_range_is_half_open(name):
    lowest, too_high = REQUIRED[name]
    check_version(name, lowest)
    check_version(name, f'{lowest}+cu130')
    for version in (too_high, '0.0.1', None):
        with pytest.raises(ImportError):
            check_version(name, version)


@pytest.mark.parametrize(
    ('version', 'fits'),
    [('2.0.0rc4', False), ('2.1.0', True), ('2.1.9', True), ('2.10.0', False)],
)
def test_versions_compare_as_numbers(version, fits):
    if fits:
        check_version('mmcv', version)
    else:
        with pytest.raises(ImportError):
            check_version('mmcv', version)


def test_message_names_version_range_and_command():
    with pytest.raises(ImportError) as caught:
        check_version('mmdet', '2.28.0')
    assert str(caught.value) == (
        'ogn_mm needs mmdet >=3.3.0, <3.4.0, and 2.28.0 is installed. '
        "Please run: pip install 'mmdet>=3.3.0,<3.4.0'"
    )


@pytest.mark.parametrize('name', ['mmcv', 'xtcocotools'])
def test_installers_exist_where_the_message_says(name):
    python, tool = install_command(name).split()
    assert (python, Path(tool).name) == ('python', f'install_{name}.py')
    assert Path(tool).is_file()


def test_mmpose_comes_without_chumpy():
    command = "pip install --no-deps 'mmpose>=1.3.2,<1.4.0'"
    assert install_command('mmpose') == command


@pytest.mark.parametrize('module', COMPILED)
def test_compiled_part_for_another_version(module, monkeypatch):
    def broken_import(name):
        if name == module:
            raise ImportError('undefined symbol')
        return import_module(name)

    monkeypatch.setattr(ogn_mm, 'import_module', broken_import)
    against = import_module(COMPILED[module])
    with pytest.raises(ImportError) as caught:
        check_packages()
    message = str(caught.value)
    assert f'does not fit {against.__name__} {against.__version__}' in message
    assert 'undefined symbol' in message
    assert install_command(module.partition('.')[0]) in message


def import_ogn_mm(folder):
    """Import ogn_mm in a fresh process that finds ``folder``'s modules first."""
    paths = os.pathsep.join([str(folder), str(ROOT)])
    return subprocess.run(
        [sys.executable, '-c', 'import ogn_mm'],
        env={**os.environ, 'PYTHONPATH': paths},
        capture_output=True,
        text=True,
    )


def test_import_stops_at_a_wrong_version(tmp_path):
    (tmp_path / 'mmcv.py').write_text("__version__ = '2.2.0'\n")
    done = import_ogn_mm(tmp_path)
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith('ImportError: ogn_mm needs mmcv >=2.0.0, <2.2.0, and 2.2.0')
    assert last.endswith('install_mmcv.py')


def test_import_stops_at_a_missing_package(tmp_path):
    missing = "raise ModuleNotFoundError('No module', name='mmcv')\n"
    (tmp_path / 'mmcv.py').write_text(missing)
    done = import_ogn_mm(tmp_path)
    assert 'mmcv >=2.0.0, <2.2.0, and it is not installed' in done.stderr


def requirements(name):
    lines = (ROOT / 'requirements' / name).read_text().splitlines()
    found = [Requirement(line) for line in lines if line[:1] not in ('', '#', '-')]
    return {requirement.name: requirement.specifier for requirement in found}


def test_requirement_files_state_the_same_ranges():
    stated = requirements('runtime.txt') | requirements('mmpose.txt')
    for name in REQUIRED.keys() - {'mmcv'}:
        lowest, too_high = REQUIRED[name]
        assert stated[name] == Requirement(f'x>={lowest},<{too_high}').specifier


def test_reference_stack_is_within_the_ranges():
    for name, specifier in requirements('reference.txt').items():
        if name in REQUIRED:
            check_version(name, next(iter(specifier)).version)


def test_the_range_of_trackeval_is_the_same():
    stated = requirements('trackeval.txt')['trackeval']
    assert stated == Requirement(REQUIREMENT).specifier


def test_readme_names_the_reference_stack():
    text = (ROOT / 'README.md').read_text()
    stated = re.search(r'reference stack\s+\(([^)]*)\)', text)
    versions = dict(part.split() for part in stated[1].split(','))
    assert versions.pop('Python') in python_versions()
    installer = (ROOT / 'tools/install_mmcv.py').read_text()
    assert f"MMCV_VERSION = '{versions.pop('mmcv')}'" in installer
    pinned = requirements('reference.txt')
    assert versions.keys() == (REQUIRED.keys() - {'mmcv'}) | {'numpy'}
    for name, version in versions.items():
        assert pinned[name] == SpecifierSet(f'=={version}')


def python_versions():
    """The Python versions that the project claims to run with."""
    classifiers = ' '.join(PROJECT['project']['classifiers'])
    return re.findall(r'Python :: (3\.\d+)', classifiers)


def test_everything_names_the_same_python_versions():
    allowed = SpecifierSet(PROJECT['project']['requires-python'])
    assert [f'3.{n}' for n in range(20) if f'3.{n}' in allowed] == python_versions()
    *most, last = python_versions()
    for name in ('README.md', 'Makefile'):
        text = (ROOT / name).read_text().replace('\n', ' ')
        assert f'Python {", ".join(most)} or {last}' in text


def test_the_matrix_begins_with_the_oldest_versions():
    oldest = PROJECT['tool']['tox']['env']['oldest']
    assert oldest['base_python'] == [f'python{python_versions()[0]}']
    pinned = {r.name: r.specifier for r in map(Requirement, oldest['deps'])}
    stated = requirements('runtime.txt')
    for name in ('torch', 'numpy'):
        (version,) = (s.version for s in pinned[name])
        (lowest,) = (s.version for s in stated[name] if s.operator == '>=')
        assert version.startswith(lowest)
