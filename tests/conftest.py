"""Fixtures that tests of several folders share."""

import importlib.util
from pathlib import Path

import pytest
from mmengine.registry import init_default_scope

from ogn_mm.datasets.generated_people import generate_dataset


def load_tool(path):
    """A script of tools/ as a module, by its path there without .py."""
    file = Path(__file__).parents[1] / f'tools/{path}.py'
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='session')
def generated_people(tmp_path_factory):
    """Root of a small data set: 12 images to train and 6 to test."""
    root = tmp_path_factory.mktemp('generated_people')
    generate_dataset(root, dict(train=12, val=6), seed=0, size=(160, 120), workers=1)
    return root


@pytest.fixture(autouse=True)
def default_scope():
    """Tests begin in MMPose's scope, whatever the one before has left."""
    init_default_scope('mmpose')
