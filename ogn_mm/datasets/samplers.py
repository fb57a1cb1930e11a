"""Samplers of training data and of videos."""

from collections.abc import Iterator

import numpy as np
from mmdet.registry import DATA_SAMPLERS as DETECTION_SAMPLERS
from mmengine.dataset import DefaultSampler
from mmengine.dist import get_dist_info
from mmpose.registry import DATA_SAMPLERS
from torch.utils.data import Sampler


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


@DETECTION_SAMPLERS.register_module()
@DATA_SAMPLERS.register_module()
class VideoSampler(Sampler):
    """Whole videos for each process, the frames of each in their order.

    Every frame comes exactly once in all processes together, so they may have
    unequally many, or none. Which process has which video depends on the videos'
    lengths and the number of processes alone; what is computed for a video does not.
    Metrics get the frames of all processes mixed, and have to sort them.

    Args:
        dataset (PoseTrackVideoDataset): Or another whose ``video_lengths`` are the
            numbers of items of consecutive videos.
        seed (int, optional): Not used; the Runner gives one to every sampler.
    """

    def __init__(self, dataset, seed: int | None = None):
        rank, world_size = get_dist_info()
        lengths = dataset.video_lengths
        starts = np.cumsum([0, *lengths])
        self.indices = [
            index
            for video in share_videos(lengths, world_size)[rank]
            for index in range(starts[video], starts[video + 1])
        ]

    def __iter__(self) -> Iterator[int]:
        return iter(self.indices)

    def __len__(self) -> int:
        return len(self.indices)


def share_videos(lengths: list[int], processes: int) -> list[list[int]]:
    """Distribute videos so that the processes have about equally many frames.

    Longest first, each to the process that has fewest frames so far (Graham 1969), so
    the busiest has at most 4/3 of the frames that it would have at best.

    Args:
        lengths (list[int]): Frames of each video.
        processes (int): At least 1.

    Returns:
        list[list[int]]: Rising indices of each process' videos.
    """
    shares = [[] for _ in range(processes)]
    loads = np.zeros(processes, int)
    for video in np.argsort(-np.array(lengths, int), kind='stable').tolist():
        emptiest = int(loads.argmin())
        shares[emptiest].append(video)
        loads[emptiest] += lengths[video]
    return [sorted(share) for share in shares]
