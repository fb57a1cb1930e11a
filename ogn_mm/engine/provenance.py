"""Under which circumstances something was measured."""

import contextlib
import datetime
import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.dist import get_world_size
from mmengine.runner import Runner

from .config_agreement import type_name
from .optim_wrappers.bfloat16_optim_wrapper import computes_in_bfloat16

PACKAGES = ('torch', 'torchvision', 'mmpose', 'mmdet', 'mmcv', 'mmengine', 'numpy')


def package_versions() -> dict[str, str]:
    """The versions that results may depend on, by package; CUDA's where it is used."""
    versions = {name: version(name) for name in PACKAGES}
    return versions | (
        {'CUDA': torch.version.cuda} if torch.cuda.is_available() else {}
    )


def device_name() -> str:
    """Name of the GPU, or of the processor where there is none."""
    gpu = torch.cuda.is_available()
    return torch.cuda.get_device_name() if gpu else processor_name()


def processor_name() -> str:
    """Name of the processor, and how many cores it has."""
    processor = platform.machine()
    with contextlib.suppress(OSError):
        found = re.search(r'model name\s*: (.*)', Path('/proc/cpuinfo').read_text())
        processor = found[1] if found else processor
    return f'{processor}, {os.cpu_count()} cores'


def training_precision(cfg: Config) -> str:
    """Number format of the forward pass in training, on this machine's device."""
    wrapper = cfg.get('optim_wrapper') or {}
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    kind = type_name(wrapper)
    if kind == 'AmpOptimWrapper':
        return wrapper.get('dtype', 'float16')
    if kind == 'Bfloat16OptimWrapper' and computes_in_bfloat16(device):
        return 'bfloat16'
    return 'float32'


def format_circumstances(results: list[dict], command: str | None = None) -> str:
    """A Markdown list of what results were measured with, each thing once.

    Args:
        results (list[dict]): Each with ``commit``, ``dirty``, ``versions`` and
            ``device``; those of trainings with ``precision`` as well.
        command (str, optional): The command that gave them all.

    Returns:
        str: A line of its own for each item, a line break before it.
    """
    items = dict(Command={command} if command else set())
    items['Commit'] = {
        f'{result["commit"]}{" (changed)" if result["dirty"] else ""}'
        for result in results
    }
    items['Versions'] = {
        ', '.join(f'{name} {number}' for name, number in result['versions'].items())
        for result in results
    }
    items['Device'] = {result['device'] for result in results}
    items['Precision of the training'] = {
        result['precision'] for result in results if 'precision' in result
    }
    return ''.join(
        f'\n- {name}: {"; ".join(sorted(values))}'
        for name, values in items.items()
        if values
    )


def describe_test(runner: Runner, metrics: dict) -> dict:
    """What a test was, for a report on its predictions.

    Args:
        runner (Runner): After the test.
        metrics (dict): What the test gave.

    Returns:
        dict: For a JSON file. ``precision`` is the training's on this device; ``speed``
        has the ``seconds`` that this process's
        iterations took in all, and ``data_seconds``, in which they waited for data.
    """
    loader, scalars = runner.test_dataloader, runner.message_hub.log_scalars
    record = dict(
        config=runner.cfg.filename,
        checkpoint=runner.cfg.load_from,
        finished=datetime.datetime.now().isoformat(timespec='seconds'),
        device=device_name(),
        precision=training_precision(runner.cfg),
        processes=get_world_size(),
        versions=package_versions(),
        metrics=metrics,
    )
    if {'test/time', 'test/data_time'} <= scalars.keys():
        seconds, data_seconds = (
            float(scalars[name].data[0].sum())
            for name in ('test/time', 'test/data_time')
        )
        record['speed'] = dict(
            samples=len(loader.dataset),
            batch_size=loader.batch_size,
            seconds=seconds,
            data_seconds=data_seconds,
        )
    return record
