"""What a study writes down of each run."""

import importlib
from pathlib import Path

import pytest
from mmengine.config import Config

TOOLS = Path(__file__).parents[2] / 'tools'


@pytest.mark.parametrize(
    ('wrapper', 'cpu_has_bfloat16', 'expected'),
    [
        (dict(type='OptimWrapper'), True, 'float32'),
        (dict(), True, 'float32'),
        (dict(type='AmpOptimWrapper'), True, 'float16'),
        (dict(type='AmpOptimWrapper', dtype='bfloat16'), True, 'bfloat16'),
        (dict(type='mmpose.Bfloat16OptimWrapper'), True, 'bfloat16'),
        (dict(type='Bfloat16OptimWrapper'), False, 'float32'),
    ],
)
def test_training_precision(monkeypatch, wrapper, cpu_has_bfloat16, expected):
    monkeypatch.syspath_prepend(str(TOOLS))
    record = importlib.import_module('study.record')
    monkeypatch.setattr(record, 'computes_in_bfloat16', lambda device: cpu_has_bfloat16)
    assert record.training_precision(Config(dict(optim_wrapper=wrapper))) == expected
