"""Fixtures that tests of several folders share."""

import pytest
from mmengine.registry import init_default_scope

from ogn_mm.datasets.generated_people import generate_dataset


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
