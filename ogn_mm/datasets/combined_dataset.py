"""People of several data sets together."""

from mmpose.datasets import CombinedDataset
from mmpose.registry import DATASETS

from .checked_images import CheckedImages
from .images import BrokenImageError


@DATASETS.register_module(name='CombinedDataset', force=True)
class CheckedCombinedDataset(CheckedImages, CombinedDataset):
    """MMPose's `CombinedDataset`, and in its place, with its images checked.

    The images are loaded by its own pipeline, not by those of its data sets. A broken
    one is an error in training, too, unless this data set or the one that the sample
    is from has ``skip_broken_images``; it is counted where that is set.

    Args:
        *args: As for `CombinedDataset`.
        **kwargs: As for `CombinedDataset` and :class:`CheckedImages`.
    """

    def _get_subset_index(self, index: int) -> tuple[int, int]:
        self.latest = super()._get_subset_index(index)
        return self.latest

    def pass_over(self, idx: int, error: BrokenImageError) -> None:
        # resampling, another call would give another one
        part, place = self.latest if self.resample else self._get_subset_index(idx)
        source, place = unwrap(self.datasets[part], place)
        own = self.test_mode or self.skip_broken_images
        if own or not isinstance(source, CheckedImages):
            super().pass_over(idx, error)
        else:
            source.pass_over(place, error)


def unwrap(dataset, index: int) -> tuple:
    """The data set, and index, that a wrapper of MMEngine has a sample from."""
    while hasattr(dataset, '_get_ori_dataset_idx'):
        found = dataset._get_ori_dataset_idx(index)
        if isinstance(found, tuple):
            dataset, index = dataset.datasets[found[0]], found[1]
        else:
            dataset, index = dataset.dataset, found
    return dataset, index
