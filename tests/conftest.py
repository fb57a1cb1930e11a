"""Fixtures that tests of several folders share."""

import importlib.util
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from mmengine.registry import init_default_scope
from mmengine.visualization import Visualizer

from ogn_mm.datasets.generated_people import generate_dataset

# how long an example takes says nothing on a busy machine
settings.register_profile(
    'untimed', deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile('untimed')


def load_tool(path):
    """A script of tools/ as a module, by its path there without .py."""
    file = Path(__file__).parents[1] / f'tools/{path}.py'
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def snapshot(folder):
    """Size and time of change of what is in a folder, and of its folders themselves.

    A folder's time tells also of files that came and went.
    """
    found = {}
    for path in (Path(folder), *Path(folder).rglob('*')):
        state = path.lstat()
        found[path] = state.st_size, state.st_mtime_ns
    return found


@pytest.fixture(scope='session')
def generated_people(tmp_path_factory):
    """Root of a small data set: 12 images to train and 6 to test."""
    root = tmp_path_factory.mktemp('generated_people')
    generate_dataset(root, dict(train=12, val=6), seed=0, size=(160, 120), workers=1)
    return root


@pytest.fixture
def generated_animals(generated_people, tmp_path):
    """The generated people with three keypoints more, which repeat the first ones."""
    (tmp_path / 'annotations').mkdir()
    (tmp_path / 'images').symlink_to(generated_people / 'images')
    for path in (generated_people / 'annotations').iterdir():
        coco = json.loads(path.read_text())
        for annotation in coco['annotations']:
            annotation['keypoints'] += annotation['keypoints'][:9]
        (tmp_path / 'annotations' / path.name).write_text(json.dumps(coco))
    return tmp_path


@pytest.fixture(autouse=True)
def default_scope():
    """Tests begin in MMPose's scope, whatever the one before has left."""
    Visualizer._instance_dict.clear()  # the current one is that of this test
    init_default_scope('mmpose')
