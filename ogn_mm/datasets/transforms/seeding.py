"""Random numbers of training that do not depend on what ran before."""

import random

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS

# (seed, epoch) of the running training epoch, or -1. Written by EpochSeedHook, read
# by the data loader's workers, which live through many epochs: hence shared memory.
TRAINING_CLOCK = torch.full((2,), -1, dtype=torch.int64).share_memory_()


def seed_generators(*key: int) -> int:
    """Seed python's, numpy's and torch's CPU generator from some integers.

    Args:
        key (int): Non-negative integers; other integers give other streams.

    Returns:
        int: The seed of torch's generator, for generators of other devices.
    """
    # the length, since zeros at the end would not count
    sequence = np.random.SeedSequence((len(key), *key))
    first, second = sequence.generate_state(2, np.uint64)
    # the legacy generator is the one that MMPose's transforms draw from
    np.random.seed(np.array([first, second]).view(np.uint32))  # noqa: NPY002
    random.seed(int(first))
    # not `torch.manual_seed`, which takes 0.1 ms where CUDA is not in use
    torch.default_generator.manual_seed(int(second))
    return int(second)


@TRANSFORMS.register_module()
class SeedAugmentation(BaseTransform):
    """Seed the augmentation that follows from (seed, epoch, sample).

    The first transform of a training pipeline. It makes augmentation independent of
    the workers' number and history, so that training resumes exactly, and differs
    from epoch to epoch with persistent and with fresh workers alike. Does nothing
    outside an epoch announced by
    :class:`~ogn_mm.engine.hooks.EpochSeedHook`.

    A sample that a wrapper like ``RepeatDataset`` returns several times in an epoch
    is augmented alike each time: train more epochs instead.

    Required Keys:

    - sample_idx (int), which every MMEngine dataset sets
    """

    def __init__(self):
        self.clock = TRAINING_CLOCK  # travels to workers that are spawned

    def __deepcopy__(self, memo):
        return self  # a copy has to read the same memory

    def transform(self, results: dict) -> dict:
        seed, epoch = self.clock.tolist()
        if epoch >= 0:
            seed_generators(seed, epoch, results['sample_idx'])
        return results

    def __repr__(self):
        return f'{self.__class__.__name__}()'
