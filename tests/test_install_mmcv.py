"""tools/install_mmcv.py: which mmcv it takes, how it builds, what it says."""

import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

import ogn_mm

sys.path.append(str(Path(__file__).parents[1] / 'tools'))
import install_mmcv as tool


def test_range_is_that_of_the_version_gate():
    assert ogn_mm.REQUIRED['mmcv'] == tool.MMCV_RANGE
    ogn_mm.check_version('mmcv', tool.MMCV_VERSION)


def test_installed_ops_run():
    assert tool.ops_problem('cpu') is None


def test_strips_the_fixed_standard_alone():
    setup = (
        "if old:\n    args['cxx'] = ['-std=c++14']\n"
        "else:\n    args['cxx'] = ['-std=c++17']\n"
        "args['nvcc'] += ['-std=c++17']\n"
        "args['cxx'] += ['-fno-gnu-unique']\n"
    )
    assert tool.follow_torch_standard(setup) == (
        "if old:\n    args['cxx'] = []\n"
        "else:\n    args['cxx'] = []\n"
        "args['nvcc'] += []\n"
        "args['cxx'] += ['-fno-gnu-unique']\n"
    )


@pytest.mark.parametrize(
    ('argument', 'gpu', 'force', 'device'),
    [
        ('auto', False, '0', 'cpu'),
        ('auto', True, '0', 'cuda'),
        ('auto', False, '1', 'cuda'),
        ('cpu', True, '1', 'cpu'),
        ('cuda', False, '0', 'cuda'),
    ],
)
def test_device(argument, gpu, force, device):
    assert tool.wanted_device(argument, gpu, {'FORCE_CUDA': force}) == device


@pytest.mark.parametrize(
    ('torch_cuda', 'nvcc', 'told'),
    [
        (None, '13.0', 'torch that is built for CUDA'),
        ('13.0', None, 'install the CUDA 13.0 toolkit'),
        ('13.0', '12.4', 'nvcc is of CUDA 12.4 and torch of CUDA 13.0'),
    ],
)
def test_cuda_problem_names_the_gap_and_the_way_out(torch_cuda, nvcc, told):
    problem = tool.cuda_problem(torch_cuda, nvcc)
    assert told in problem
    assert '--device cpu' in problem


def test_cuda_toolkits_of_one_major_version_fit():
    assert tool.cuda_problem('13.0', '13.2') is None


VERSIONS = {
    'mmcv': '2.1.0',
    'torch': '2.14.1+cu130',
    'python': 'cp311',
    'cuda': 'cuda13.0',
    'environ': {'XDG_CACHE_HOME': '/cache', 'TORCH_CUDA_ARCH_LIST': '8.0;9.0'},
}


@pytest.mark.parametrize(
    ('part', 'other'),
    [
        ('mmcv', '2.0.1'),
        ('torch', '2.14.1+cpu'),
        ('python', 'cp312'),
        ('cuda', 'cpu'),
        ('environ', {'XDG_CACHE_HOME': '/cache', 'TORCH_CUDA_ARCH_LIST': '9.0'}),
    ],
)
def test_wheels_of_other_versions_never_share_a_folder(part, other):
    folder = tool.cache_folder(**VERSIONS)
    assert folder != tool.cache_folder(**(VERSIONS | {part: other}))


def test_cache_folder():
    folder = tool.cache_folder(**VERSIONS)
    key = 'mmcv-2.1.0_torch-2.14.1+cu130_cp311_cuda13.0'
    assert folder == Path('/cache/ogn_mm/wheels') / key / '8.0-9.0'
    anywhere = tool.cache_folder(**(VERSIONS | {'environ': {}}))
    assert anywhere == Path.home() / '.cache/ogn_mm/wheels' / key


def test_build_environment():
    made = tool.build_environment('cpu', {'PATH': '/bin', 'CFLAGS': '-march=native'})
    assert made['CUDA_VISIBLE_DEVICES'] == ''
    assert made['FORCE_CUDA'] == '0'
    assert made['CFLAGS'] == '-march=native -g0 -O2'
    assert made['MAX_JOBS'] == str(len(os.sched_getaffinity(0)))
    made = tool.build_environment('cuda', {'PATH': '/bin', 'MAX_JOBS': '3'})
    assert 'CUDA_VISIBLE_DEVICES' not in made
    assert made['FORCE_CUDA'] == '1'
    assert made['MAX_JOBS'] == '3'


def test_missing_for_build(monkeypatch, tmp_path):
    assert tool.missing_for_build('cpu', tmp_path) is None
    with monkeypatch.context() as patch:
        patch.setattr(tool, 'missing_tool', lambda: None)
        patch.setattr(tool, 'path_with_scripts', lambda: str(tmp_path))
        assert 'ninja was not found' in tool.missing_for_build('cpu', tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(tool, 'find_spec', lambda name: None)
        assert 'pkg_resources' in tool.missing_for_build('cpu', tmp_path)
    with monkeypatch.context() as patch:
        full = SimpleNamespace(free=2**20)
        patch.setattr(tool.shutil, 'disk_usage', lambda folder: full)
        problem = tool.missing_for_build('cpu', tmp_path)
        assert str(tmp_path) in problem
        assert 'TMPDIR' in problem


def source_with(tmp_path, setup):
    source = tmp_path / 'mmcv-2.1.0'
    source.mkdir()
    (source / 'setup.py').write_text(setup)
    return source


def test_compile_shows_progress(tmp_path, capsys):
    setup = (
        'import pathlib, sys\n'
        'for step in range(1, 13):\n'
        '    print(f"[{step}/12] g++ -c op.cpp", flush=True)\n'
        'dist = pathlib.Path(sys.argv[-1])\n'
        'dist.mkdir()\n'
        '(dist / "mmcv-2.1.0-any.whl").write_text("")\n'
    )
    wheel = tool.compile_wheel(source_with(tmp_path, setup), 'cpu')
    assert wheel == tmp_path / 'dist' / 'mmcv-2.1.0-any.whl'
    lines = capsys.readouterr().out.splitlines()
    assert [re.sub(r'\s+', ' ', line.split(',')[0]) for line in lines] == [
        ' compiled 10 of 12',
        ' compiled 12 of 12',
    ]


def test_compile_failure_names_the_first_error_and_the_log(tmp_path, monkeypatch):
    monkeypatch.setattr(tool.tempfile, 'gettempdir', lambda: str(tmp_path))
    setup = (
        'print("-Werror=format-security is a flag, not an error")\n'
        'print("op.cpp:3:1: error: C++20 is needed")\n'
        'raise SystemExit("error: command failed")\n'
    )
    with pytest.raises(SystemExit) as caught:
        tool.compile_wheel(source_with(tmp_path, setup), 'cpu')
    assert 'op.cpp:3:1: error: C++20 is needed' in str(caught.value)
    log = re.search(r'the log: (.*)\)', str(caught.value)).group(1)
    assert 'error: command failed' in Path(log).read_text()


def test_concurrent_stores_leave_one_whole_wheel(tmp_path):
    wheel = tmp_path / 'mmcv-2.1.0-any.whl'
    wheel.write_bytes(os.urandom(2**20))
    cache = tmp_path / 'cache'
    tool.store(wheel, cache)
    with ThreadPoolExecutor(8) as pool:
        stored = [pool.submit(tool.store, wheel, cache) for _ in range(32)]
        while not all(task.done() for task in stored):
            assert (cache / wheel.name).read_bytes() == wheel.read_bytes()
    assert {task.result() for task in stored} == {cache / wheel.name}
    assert list(cache.iterdir()) == [cache / wheel.name]


def test_unwritable_cache_keeps_the_wheel_usable(tmp_path, capsys):
    wheel = tmp_path / 'mmcv-2.1.0-any.whl'
    wheel.write_bytes(b'wheel')
    (tmp_path / 'file').write_text('in the way')
    assert tool.store(wheel, tmp_path / 'file' / 'cache') == wheel
    assert 'could not be kept' in capsys.readouterr().out


class FakeEnvironment:
    """Stands for pip and the environment: records what the tool does.

    ``fits`` names the origins whose mmcv runs: 'installed', 'links' or
    'build'; ``has`` names those that offer one beforehand.
    """

    def __init__(self, monkeypatch, tmp_path, has, fits):
        self.has, self.fits, self.log = set(has), set(fits), []
        self.now = 'installed' if 'installed' in has else None
        monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
        monkeypatch.setattr(sys, 'argv', ['install_mmcv.py', '--device', 'cpu'])
        monkeypatch.setattr(tool, 'run_pip', self.run_pip)
        monkeypatch.setattr(tool, 'ops_problem', self.ops_problem)
        monkeypatch.setattr(tool, 'missing_for_build', lambda *args: None)
        monkeypatch.setattr(tool, 'fetch_source', lambda *args: args[-1])
        monkeypatch.setattr(tool, 'rewrite', lambda *args: None)
        monkeypatch.setattr(tool, 'compile_wheel', self.compile_wheel)
        find = {'mmcv': 'installed' in has}.get
        monkeypatch.setattr(tool, 'find_spec', lambda name: find(name, True))

    def run_pip(self, action, *args):
        if action == 'uninstall':
            self.now = None
        elif args[-1].startswith('mmcv=='):
            self.now = 'links' if 'links' in self.has else self.now
            return 'links' in self.has, 'no matching distribution'
        else:
            self.now = Path(args[-1]).read_text()
        return True, ''

    def ops_problem(self, device):
        self.log.append(self.now)
        return None if self.now in self.fits else 'undefined symbol'

    def compile_wheel(self, folder, device):
        wheel = folder / 'mmcv-2.1.0-any.whl'
        wheel.write_text('build')
        return wheel


def cached(tmp_path):
    return list(tmp_path.rglob('*.whl'))


@pytest.mark.parametrize(
    ('has', 'fits', 'tried'),
    [
        (['installed'], ['installed'], ['installed']),
        (['installed', 'links'], ['links'], ['installed', 'links']),
        (['links'], ['links', 'build'], ['links']),
        (['links'], ['build'], ['links', 'build']),
        ([], ['build'], ['build']),
    ],
)
def test_takes_the_first_that_fits(has, fits, tried, monkeypatch, tmp_path):
    fake = FakeEnvironment(monkeypatch, tmp_path, has, fits)
    tool.main()
    assert fake.log == tried
    assert fake.now == tried[-1]
    assert len(cached(tmp_path)) == ('build' in tried)


def test_second_environment_takes_the_cached_wheel(monkeypatch, tmp_path):
    FakeEnvironment(monkeypatch, tmp_path, [], ['build'])
    tool.main()
    second = FakeEnvironment(monkeypatch, tmp_path, [], ['build'])
    monkeypatch.setattr(tool, 'compile_wheel', None)
    tool.main()
    assert second.log == ['build']


def test_cached_wheel_that_does_not_fit_is_replaced(monkeypatch, tmp_path):
    FakeEnvironment(monkeypatch, tmp_path, [], ['build'])
    tool.main()
    cached(tmp_path)[0].write_text('stale')
    third = FakeEnvironment(monkeypatch, tmp_path, [], ['build'])
    tool.main()
    assert third.log == ['stale', 'build']
    assert [wheel.read_text() for wheel in cached(tmp_path)] == ['build']


def test_build_that_does_not_run_fails(monkeypatch, tmp_path):
    fake = FakeEnvironment(monkeypatch, tmp_path, [], [])
    with pytest.raises(SystemExit, match='does not run on this machine'):
        tool.main()
    assert fake.now is None


def test_needs_torch_first(monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['install_mmcv.py'])
    monkeypatch.setattr(tool, 'find_spec', lambda name: None)
    with pytest.raises(SystemExit, match='has no torch: install torch'):
        tool.main()
