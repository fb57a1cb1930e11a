"""Install mmcv with compiled ops that fit the torch at hand.

An installed mmcv whose ops run is kept. Otherwise a wheel is taken from
``PIP_FIND_LINKS`` or from the user's cache; a wheel that does not fit this
torch is passed over. Otherwise mmcv is built from its source distribution, for
the CPU or for CUDA, and the wheel is kept in the cache for the next environment.

    python tools/install_mmcv.py                  # CUDA where a GPU is visible
    python tools/install_mmcv.py --device cpu     # ops for the CPU alone
    FORCE_CUDA=1 TORCH_CUDA_ARCH_LIST='8.0;9.0' python tools/install_mmcv.py

torch and ``requirements/runtime.txt`` have to be installed before. The build
honours MAX_JOBS, CFLAGS, CXX, CUDA_HOME and TMPDIR; the cache lies under
XDG_CACHE_HOME.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from source_build import (
    fetch_source,
    last_line,
    missing_tool,
    problem_of,
    rewrite,
    run_pip,
)

MMCV_VERSION = '2.1.0'
# What an installed mmcv may be; the same range as in ogn_mm/__init__.py.
MMCV_RANGE = ('2.0.0', '2.2.0')

# Unpacked source, objects and wheel, in GiB.
DISK_NEEDED = {'cpu': 1, 'cuda': 3}

# Runs in a fresh process: argv is the device and the range of versions. A login
# node has no GPU to try CUDA ops on; there they only have to be compiled in.
CHECK_OPS = """
import sys
import mmcv, torch
from mmcv.ops import get_compiling_cuda_version, nms
from mmengine.utils import digit_version
device, low, high = sys.argv[1:]
if not digit_version(low) <= digit_version(mmcv.__version__) < digit_version(high):
    sys.exit(f'mmcv {mmcv.__version__} is not in [{low}, {high})')
if device == 'cuda' and get_compiling_cuda_version() == 'not available':
    sys.exit('its ops are compiled for the CPU alone')
boxes = torch.tensor([[0, 0, 9, 9], [0, 0, 9, 8], [20, 20, 30, 30.0]])
scores = torch.tensor([0.9, 0.8, 0.7])
for place in {'cpu', device if torch.cuda.is_available() else 'cpu'}:
    _, kept = nms(boxes.to(place), scores.to(place), 0.5)
    assert kept.tolist() == [0, 2], f'nms on {place} kept {kept.tolist()}'
"""


def ops_problem(device):
    """Why mmcv's ops do not run here, or None where they do."""
    return problem_of(CHECK_OPS, device, *MMCV_RANGE)


def wanted_device(argument, gpu_visible, environ):
    """What the ops are to run on, 'cpu' or 'cuda': ``--device``, else a guess."""
    if argument != 'auto':
        return argument
    forced = environ.get('FORCE_CUDA') == '1'
    return 'cuda' if gpu_visible or forced else 'cpu'


def nvcc_release():
    """The release of the nvcc that torch would compile with, such as '13.0'."""
    from torch.utils.cpp_extension import CUDA_HOME

    nvcc = Path(CUDA_HOME or '/nonexistent') / 'bin' / 'nvcc'
    if not nvcc.exists():
        return None
    told = subprocess.run([nvcc, '--version'], capture_output=True, text=True)
    release = re.search(r'release (\d+\.\d+)', told.stdout)
    return release and release.group(1)


def cuda_problem(torch_cuda, nvcc):
    """What a build of CUDA ops lacks, as a sentence, or None.

    Args:
        torch_cuda (str | None): The CUDA version torch is built for.
        nvcc (str | None): The release of the nvcc at hand.
    """
    way_out = 'or take --device cpu for ops that run on the CPU alone.'
    if torch_cuda is None:
        return (
            'CUDA ops need a torch that is built for CUDA, and this one is not: '
            f'install such a torch, {way_out}'
        )
    if nvcc is None:
        return (
            f'CUDA ops need nvcc, and none was found: install the CUDA {torch_cuda} '
            f'toolkit (or load its module) and set CUDA_HOME, {way_out}'
        )
    if nvcc.split('.')[0] != torch_cuda.split('.')[0]:
        return (
            f'nvcc is of CUDA {nvcc} and torch of CUDA {torch_cuda}: set CUDA_HOME '
            f'to a CUDA {torch_cuda} toolkit, {way_out}'
        )
    return None


def cache_folder(mmcv, torch, python, cuda, environ):
    """The folder of this user's wheels that fit these versions.

    Args:
        mmcv (str): mmcv's version.
        torch (str): torch's version, with its local part.
        python (str): The interpreter's tag, such as 'cp311'.
        cuda (str): The CUDA version the ops are compiled for, or 'cpu'.
        environ (Mapping): Gives XDG_CACHE_HOME and TORCH_CUDA_ARCH_LIST; wheels
            for a list of chips have a folder of their own.

    Example:
        >>> cache_folder('2.1.0', '2.14.1+cu130', 'cp311', 'cpu', os.environ).name
        'mmcv-2.1.0_torch-2.14.1+cu130_cp311_cpu'
    """
    root = Path(environ.get('XDG_CACHE_HOME') or Path.home() / '.cache')
    folder = root / 'ogn_mm' / 'wheels' / f'mmcv-{mmcv}_torch-{torch}_{python}_{cuda}'
    chips = environ.get('TORCH_CUDA_ARCH_LIST', '') if cuda != 'cpu' else ''
    return folder / re.sub(r'[^\w.+]+', '-', chips)


def follow_torch_standard(setup):
    """Strip the C++ standard that mmcv's setup.py fixes.

    torch's own BuildExtension then adds the one its headers need: C++17 up to
    torch 2.11, C++20 at 2.14.
    """
    return re.sub(r"\['-std=c\+\+1\d'\]", '[]', setup)


def missing_for_build(device, folder):
    """What a build lacks, as a sentence, or None."""
    if missing_tool():
        return missing_tool()
    if shutil.which('ninja', path=path_with_scripts()) is None:
        return 'ninja was not found: pip install -r requirements/build.txt.'
    if find_spec('pkg_resources') is None:
        return (
            "mmcv's setup needs pkg_resources, which setuptools 82 dropped: "
            'pip install -r requirements/build.txt.'
        )
    if device == 'cuda':
        import torch

        problem = cuda_problem(torch.version.cuda, nvcc_release())
        if problem:
            return problem
    free = shutil.disk_usage(folder).free / 2**30
    if free < DISK_NEEDED[device]:
        return (
            f'The build needs {DISK_NEEDED[device]} GiB under {folder}, and '
            f'{free:.1f} are free: set TMPDIR to a folder with more room.'
        )
    return None


def path_with_scripts():
    """PATH with this interpreter's folder first, where pip puts ninja."""
    return os.pathsep.join([os.path.dirname(sys.executable), os.environ['PATH']])


def build_environment(device, environ):
    """The environment of the compiler: no debug information, all cores."""
    extra = {
        'CFLAGS': f'{environ.get("CFLAGS", "")} -g0 -O2'.strip(),
        'MAX_JOBS': environ.get('MAX_JOBS', str(len(os.sched_getaffinity(0)))),
        'FORCE_CUDA': '1' if device == 'cuda' else '0',
        'MMCV_WITH_OPS': '1',
        'PATH': path_with_scripts(),
    }
    if device == 'cpu':
        # mmcv's setup builds CUDA ops wherever torch sees a GPU.
        extra['CUDA_VISIBLE_DEVICES'] = ''
    return {**environ, **extra}


def compile_wheel(source, device):
    """Build the wheel of ``source``, showing progress; return its path."""
    dist = source.parent / 'dist'
    log = Path(tempfile.gettempdir()) / f'mmcv-build-{os.getpid()}.log'
    command = [sys.executable, 'setup.py', 'bdist_wheel', '--dist-dir', str(dist)]
    start = time.monotonic()
    with (
        open(log, 'w') as record,
        subprocess.Popen(
            command,
            cwd=source,
            env=build_environment(device, os.environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors='replace',
        ) as compiler,
    ):
        for line in compiler.stdout:
            record.write(line)
            show_progress(line, time.monotonic() - start)
    if compiler.returncode != 0:
        sys.exit(f'mmcv did not compile: {cause_of_failure(log)} (the log: {log})')
    log.unlink()
    return next(dist.glob('mmcv-*.whl'))


def cause_of_failure(log):
    """The compiler's first complaint, else the log's last line."""
    text = log.read_text()
    first = re.search(r'^.*\b(error|fatal) ?:.*$', text, re.I | re.M)
    return first.group().strip() if first else last_line(text)


def show_progress(line, elapsed):
    """Turn ninja's ``[12/76] g++ ...`` into one line that counts up."""
    step = re.match(r'\[(\d+)/(\d+)\] ', line)
    if not step:
        return
    done, total = map(int, step.groups())
    minutes, seconds = divmod(int(elapsed), 60)
    text = f'  compiled {done:>3} of {total}, {minutes} min {seconds:02d} s'
    if sys.stdout.isatty():
        print(f'\r{text}', end='\n' if done == total else '', flush=True)
    elif done % 10 == 0 or done == total:
        print(text, flush=True)


def store(wheel, folder):
    """Put ``wheel`` into the cache ``folder`` at once, whole; return its path.

    Where the cache cannot be written the wheel stays where it is.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as part:
            part.write(wheel.read_bytes())
        os.chmod(part.name, 0o644)
        os.replace(part.name, folder / wheel.name)
    except OSError as error:
        print(f'The wheel could not be kept in {folder}: {error}')
        return wheel
    print(f'The wheel is kept in {folder}.')
    return folder / wheel.name


def install(origin, device, *wheel):
    """Install mmcv with pip's arguments ``wheel``; return whether its ops run."""
    installed, reason = run_pip(
        *('install', '--no-deps', '--no-index', '--force-reinstall'),
        *('--only-binary', 'mmcv', *wheel),
    )
    problem = ops_problem(device) if installed else reason
    if problem is None:
        print(f'Installed mmcv from {origin}; its ops run.')
    elif installed:
        print(f'mmcv from {origin} does not fit: {problem}')
        run_pip('uninstall', '--yes', 'mmcv')
    return problem is None


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--device',
        choices=['auto', 'cpu', 'cuda'],
        default='auto',
        help='what the ops are for; auto is CUDA where a GPU is visible, or '
        'with FORCE_CUDA=1, and the CPU elsewhere',
    )
    return parser.parse_args(argv)


def main():
    args = parse_args()
    absent = [name for name in ('torch', 'mmengine') if not find_spec(name)]
    if absent:
        sys.exit(
            f'{sys.executable} has no {absent[0]}: install torch and '
            'requirements/runtime.txt first.'
        )
    import torch

    device = wanted_device(args.device, torch.cuda.is_available(), os.environ)
    if find_spec('mmcv'):
        problem = ops_problem(device)
        if problem is None:
            print('The installed mmcv is kept; its ops run.')
            return
        print(f'The installed mmcv is replaced: {problem}')
    python = f'cp{sys.version_info.major}{sys.version_info.minor}'
    cuda = f'cuda{torch.version.cuda}' if device == 'cuda' else 'cpu'
    cache = cache_folder(MMCV_VERSION, torch.__version__, python, cuda, os.environ)
    if install('PIP_FIND_LINKS', device, f'mmcv=={MMCV_VERSION}'):
        return
    if any(install('the cache', device, str(path)) for path in cache.rglob('*.whl')):
        return
    with tempfile.TemporaryDirectory(prefix='mmcv-build-') as folder:
        problem = missing_for_build(device, folder)
        if problem:
            sys.exit(problem)
        print(
            f'Building mmcv {MMCV_VERSION} for {device}; this takes minutes.',
            flush=True,
        )
        source = fetch_source('mmcv', MMCV_VERSION, Path(folder))
        rewrite(source / 'setup.py', follow_torch_standard)
        wheel = compile_wheel(source, device)
        if not install('the build', device, str(store(wheel, cache))):
            sys.exit('The mmcv that was just built does not run on this machine.')


if __name__ == '__main__':
    main()
