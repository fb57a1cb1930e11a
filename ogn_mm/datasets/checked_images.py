"""Data sets whose images may be broken."""

import logging

import torch
from mmengine.logging import print_log

from .images import BrokenImageError
from .transforms import use_checked_images


class CheckedImages:
    """Mixin of MMEngine's data sets: a broken image is an error, or a counted skip.

    Args:
        *args: As for the data set.
        pipeline (Sequence): As for the data set; `LoadImage` and `LoadImageFromFile`
            become :class:`~ogn_mm.datasets.transforms.LoadCheckedImage`.
        skip_broken_images (bool): Whether training takes another sample, drawn at
            random, for one whose image is broken. Each is logged once, with the file
            and how many they are by now. Testing never skips: its figures would be
            those of other data. Defaults to False: the first one is an error.
        **kwargs: As for the data set.

    Attributes:
        broken (torch.Tensor): Which samples were passed over so far, bool, (N,), in
            memory that the data loader's workers share.
    """

    def __init__(self, *args, pipeline=(), skip_broken_images: bool = False, **kwargs):
        self.skip_broken_images = skip_broken_images
        super().__init__(*args, pipeline=use_checked_images(pipeline), **kwargs)

    def full_init(self) -> None:
        super().full_init()
        self.broken = torch.zeros(len(self), dtype=torch.bool).share_memory_()

    def prepare_data(self, idx: int):
        try:
            return super().prepare_data(idx)
        except BrokenImageError as error:
            self.pass_over(idx, error)
            return None  # for which MMEngine draws another one

    def pass_over(self, idx: int, error: BrokenImageError) -> None:
        """Count a sample whose image is broken, or raise the error."""
        if self.test_mode or not self.skip_broken_images:
            raise error
        if not self.broken[idx]:
            self.broken[idx] = True
            print_log(
                f'skipped {error}; by now {int(self.broken.sum())} of '
                f'{len(self.broken)} samples are without image',
                logger='current',
                level=logging.ERROR,  # other processes than the first log no less
            )
