import copy
import random

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from ogn_mm.datasets.transforms import SeedAugmentation
from ogn_mm.datasets.transforms.seeding import TRAINING_CLOCK, seed_generators


@pytest.fixture(autouse=True)
def stop_clock():
    yield
    TRAINING_CLOCK.fill_(-1)


def draw():
    return random.random(), np.random.rand(), torch.rand(1).item()  # noqa: NPY002


class Draws(Dataset):
    """Each sample is what the three generators give after the transform."""

    def __init__(self):
        self.transform = copy.deepcopy(SeedAugmentation())

    def __len__(self):
        return 8

    def __getitem__(self, index):
        self.transform(dict(sample_idx=index))
        return torch.tensor(draw(), dtype=torch.float64)


def run_epoch(loader, seed, epoch):
    TRAINING_CLOCK[:] = torch.tensor([seed, epoch])
    return torch.cat(list(loader)).tolist()


def test_augmentation_depends_on_seed_epoch_and_sample_alone():
    persistent = DataLoader(Draws(), 2, num_workers=2, persistent_workers=True)
    epochs = [run_epoch(persistent, 7, epoch) for epoch in (0, 1, 2)]
    draws = [tuple(sample) for epoch in epochs for sample in epoch]
    assert len(set(draws)) == len(draws) == 24  # no two are alike
    assert run_epoch(persistent, 7, 1) == epochs[1]
    assert run_epoch(persistent, 8, 1) != epochs[1]
    # whoever works, and whatever ran before
    assert run_epoch(DataLoader(Draws(), 2, num_workers=0), 7, 1) == epochs[1]
    assert run_epoch(DataLoader(Draws(), 4, num_workers=1), 7, 1) == epochs[1]


def test_does_nothing_outside_of_an_epoch():
    seed_generators(1)
    expected = draw()
    seed_generators(1)
    results = dict(sample_idx=3)
    assert SeedAugmentation()(results) == dict(sample_idx=3)
    assert draw() == expected


def test_any_part_of_the_key_matters():
    draws = set()
    for key in ((0,), (1,), (0, 1), (1, 0), (2**32 - 1, 0, 5), (2**40, 1)):
        seed_generators(*key)
        draws.update(draw())
    assert len(draws) == 18
