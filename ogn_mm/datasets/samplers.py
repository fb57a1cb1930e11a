"""Samplers of training data."""

from mmengine.dataset import DefaultSampler
from mmpose.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class FullBatchSampler(DefaultSampler):
    """MMEngine's `DefaultSampler`, whose epoch is a whole number of full batches.

    `DefaultSampler` repeats samples until all processes have equally many, but the
    last batch may be short; ``drop_last=True`` would lose its samples. This one goes
    on repeating, in its order, until the batches are full: at most ``batch_size`` x
    processes - 1 samples of an epoch come twice (more often in data sets smaller than
    that).

    Args:
        dataset (Sized): The data set.
        batch_size (int): As in the data loader, > 0.
        shuffle (bool): Whether to shuffle in each epoch. Defaults to True.
        seed (int, optional): Of shuffling, the same in all processes.

    Raises:
        ValueError: ``batch_size`` is not positive.
    """

    def __init__(self, dataset, batch_size: int, shuffle: bool = True, seed=None):
        if batch_size < 1:
            raise ValueError(
                f'{type(self).__name__}: batch_size must be at least 1: {batch_size}'
            )
        super().__init__(dataset, shuffle, seed, round_up=True)
        self.num_samples += -self.num_samples % batch_size
        self.total_size = self.num_samples * self.world_size
