"""The rest of an epoch whose first batches were trained before an interruption."""

from collections.abc import Iterator
from itertools import islice

from mmengine.runner import EpochBasedTrainLoop
from torch.utils.data import DataLoader


class RestOfBatches:
    """A batch sampler's epoch without its first batches.

    Args:
        batch_sampler (Iterable): Gives a list of indices for each batch; has a length.
        done (int): Batches that are left out, in [0, len(batch_sampler)].
    """

    def __init__(self, batch_sampler, done: int):
        self.batch_sampler, self.done = batch_sampler, done

    def __iter__(self) -> Iterator:
        return islice(iter(self.batch_sampler), self.done, None)

    def __len__(self) -> int:
        return len(self.batch_sampler) - self.done


def rest_of_epoch(loader: DataLoader, done: int) -> DataLoader:
    """A loader like the given one that neither loads nor decodes the first batches.

    Args:
        loader (DataLoader): Of a data set with indices.
        done (int): Batches that are left out, in [0, len(loader)].
    """
    return DataLoader(
        loader.dataset,
        batch_sampler=RestOfBatches(loader.batch_sampler, done),
        num_workers=loader.num_workers,
        collate_fn=loader.collate_fn,
        pin_memory=loader.pin_memory,
        timeout=loader.timeout,
        worker_init_fn=loader.worker_init_fn,
        multiprocessing_context=loader.multiprocessing_context,
        generator=loader.generator,
        prefetch_factor=loader.prefetch_factor,
    )


def finish_epoch(loop: EpochBasedTrainLoop, done: int) -> None:
    """Train what is left of the epoch ``loop.epoch``, as ``loop.run_epoch`` would.

    Args:
        loop (EpochBasedTrainLoop): Its ``iter`` counts the batches that are done.
        done (int): Their number in this epoch, in [1, batches of an epoch].
    """
    runner = loop.runner
    runner.call_hook('before_train_epoch')
    runner.model.train()
    # the hooks have announced the epoch to the samplers, and follow the true index
    for index, batch in enumerate(rest_of_epoch(loop.dataloader, done), done):
        loop.run_iter(index, batch)
    runner.call_hook('after_train_epoch')
    loop._epoch += 1
