"""Two-stage offset-guided pose estimation on MMPose.

Importing this package checks what it stands on and registers its modules in the
registries of MMPose and MMDetection. Configs ask for it by
``custom_imports = dict(imports=['ogn_mm'], allow_failed_imports=False)``.
"""

from importlib import import_module
from pathlib import Path

from packaging.version import Version

from .version import __version__

# Package: the oldest version that serves and the first one that does not.
REQUIRED = {
    'torch': ('2.6.0', '3.0.0'),
    'mmengine': ('0.10.7', '1.0.0'),
    'mmcv': ('2.0.0', '2.2.0'),
    'mmdet': ('3.3.0', '3.4.0'),
    'mmpose': ('1.3.2', '1.4.0'),
}

# Compiled module: the package that it has to be compiled against.
COMPILED = {'mmcv._ext': 'torch', 'xtcocotools._mask': 'numpy'}


def install_command(name):
    """The command that installs a version of package ``name`` that serves."""
    if name in ('mmcv', 'xtcocotools'):
        return f'python {Path(__file__).parent}/.mim/tools/install_{name}.py'
    lowest, too_high = REQUIRED[name]
    # mmpose lists a package that does not install, and that nothing here needs.
    options = ' --no-deps' if name == 'mmpose' else ''
    return f"pip install{options} '{name}>={lowest},<{too_high}'"


def check_version(name, installed):
    """Check a package's version against ``REQUIRED``.

    Args:
        name (str): The package's name.
        installed (str | None): Its version, None where it is not installed.

    Raises:
        ImportError: The package is missing or of a version that does not serve;
            the message says what to run.
    """
    lowest, too_high = REQUIRED[name]
    if installed and Version(lowest) <= Version(installed) < Version(too_high):
        return
    state = f'{installed} is installed' if installed else 'it is not installed'
    raise ImportError(
        f'ogn_mm needs {name} >={lowest}, <{too_high}, and {state}. '
        f'Please run: {install_command(name)}'
    )


def check_packages():
    """Check versions and compiled parts of the packages that ogn_mm stands on.

    Raises:
        ImportError: One of them is missing, of a version that does not serve, or
            compiled against another torch or numpy; the message says what to run.
    """
    for name in REQUIRED:
        try:
            installed = import_module(name).__version__
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            installed = None
        check_version(name, installed)
    for module, against in COMPILED.items():
        name = module.partition('.')[0]
        try:
            import_module(module)
        # numpy 1 and 2 differ in ABI, which Cython reports by a ValueError.
        except (ImportError, ValueError) as error:
            version = import_module(against).__version__
            raise ImportError(
                f'The compiled part of {name} does not fit {against} {version} '
                f'({error}). Please run: {install_command(name)}'
            ) from error


check_packages()

from . import (  # noqa: E402
    codecs,
    datasets,
    engine,
    models,
    registry,
    structures,
    visualization,
)

__all__ = [
    '__version__',
    'codecs',
    'datasets',
    'engine',
    'models',
    'registry',
    'structures',
    'visualization',
]
