"""ROI sampling: several people of each image in a batch (section 4.1)."""

from functools import partial
from itertools import chain

import numpy as np
from mmengine.dataset import BaseDataset, force_full_init, pseudo_collate
from mmengine.registry import FUNCTIONS
from mmpose.datasets import CombinedDataset
from mmpose.datasets.transforms import LoadImage
from mmpose.registry import DATASETS

from .checked_images import CheckedImages
from .images import BrokenImageError
from .transforms import SeedAugmentation


@DATASETS.register_module()
class ImageROIDataset:
    """Groups of a fixed number of people of one image, which is decoded once.

    "For every iteration, we randomly choose two images for each GPU and four ROIs for
    each image" (section 4.1, "Train details"): ``batch_size=2`` here, with the
    collate function :func:`flatten_rois` and the sampler
    :class:`~ogn_mm.datasets.FullBatchSampler`, gives the network 8 people a GPU.

    An image with n people makes ceil(n / r) groups of r = ``rois_per_image``. Its
    people are shuffled into them anew in every epoch. A group that is not full takes
    people of the same image again; each time they get another augmentation and, with
    mixed boxes, may get another box. So every person is used in every epoch, and all
    of an image equally often, give or take one. But people with little company are
    used more often: r ceil(n / r) / n times an epoch on average, which for r = 4 is 4
    for one alone, 2 for each of two, 4/3 of three, 1 of four, 8/5 of five, and nears 1
    in crowds. An epoch here is that much longer than one of the wrapped data set: 1.7
    times for a training subset of COCO with 28 images of 86 people.

    The groups follow from (seed, epoch, image) alone in epochs announced by
    :class:`~ogn_mm.engine.hooks.EpochSeedHook`, so a resumed run repeats them;
    elsewhere people stay in the data set's order.

    ``auto_scale_lr.base_batch_size`` counts images with this data set, as
    ``batch_size`` does: 16 for the paper's batch of 64 people.

    Args:
        dataset (dict | BaseCocoStyleDataset | CombinedDataset): A training set in
            top-down mode, or its config. Its pipeline, which has to load images by
            `LoadImage`, is run once a person. Transforms must not write to the image,
            which the group shares: it is read-only.
        rois_per_image (int): People in a group, > 0. Defaults to 4.
        lazy_init (bool): Whether annotations are loaded later, by `full_init`.
            Defaults to False.

    Raises:
        ValueError: ``rois_per_image`` is not positive, the data set draws its samples
            by ``sample_ratio_factor``, or its pipeline has no `LoadImage` or drops a
            sample.
    """

    def __init__(self, dataset, rois_per_image: int = 4, lazy_init: bool = False):
        if rois_per_image < 1:
            raise ValueError(
                f'{type(self).__name__}: rois_per_image must be at least 1, got '
                f'{rois_per_image}'
            )
        self.dataset = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        self.rois_per_image = rois_per_image
        pipeline = getattr(self.dataset, 'pipeline', None)
        loaders = [
            transform
            for transform in getattr(pipeline, 'transforms', ())
            if isinstance(transform, LoadImage)
        ]
        if not loaders:
            raise ValueError(
                f'{type(self).__name__}: the pipeline needs LoadImage, and that of '
                f'{type(self.dataset).__name__} has none; other wrappers go around '
                f'{type(self).__name__}'
            )
        if getattr(self.dataset, 'resample', False):
            raise ValueError(
                f'{type(self).__name__}: a data set with `sample_ratio_factor` has not '
                'the same people every time'
            )
        self.load_image = loaders[0]
        self.seeding = SeedAugmentation()  # its clock travels to workers
        self._fully_initialized = False
        if not lazy_init:
            self.full_init()

    @property
    def metainfo(self) -> dict:
        """The wrapped data set's."""
        return self.dataset.metainfo

    def full_init(self) -> None:
        """Load the annotations and find the people of each image."""
        if self._fully_initialized:
            return
        self.dataset.full_init()
        paths = image_paths(self.dataset)
        _, images, counts = np.unique(paths, return_inverse=True, return_counts=True)
        self.people = np.argsort(images, kind='stable')
        self.first_person = np.concatenate(([0], counts.cumsum()))
        groups = -(-counts // self.rois_per_image)
        self.image_of_group = np.repeat(np.arange(len(groups)), groups)
        self.first_group = groups.cumsum() - groups
        self._fully_initialized = True

    @force_full_init
    def __len__(self) -> int:
        """Number of groups."""
        return len(self.image_of_group)

    @force_full_init
    def get_group(self, index: int) -> np.ndarray:
        """Indices in the wrapped data set of a group's people in the current epoch.

        Args:
            index (int): In [0, len(self)).

        Returns:
            np.ndarray: (rois_per_image,), all of one image.
        """
        image = self.image_of_group[index]
        people = self.people[slice(*self.first_person[image : image + 2])]
        seed, epoch = self.seeding.clock.tolist()
        if epoch >= 0:
            people = np.random.default_rng((seed, epoch, image)).permutation(people)
        number = index - self.first_group[image]
        places = np.arange(self.rois_per_image) + number * self.rois_per_image
        return people[places % len(people)]

    def __getitem__(self, index: int) -> list:
        """A group's packed samples, in a list of length ``rois_per_image``.

        If the wrapped data set skips broken images, the next group of another image
        stands in.

        Each has a ``sample_idx`` of its own, also if the person is the same, so that
        :class:`~ogn_mm.datasets.transforms.SeedAugmentation` augments it differently.
        """
        index = range(len(self))[index]  # beyond the end: IndexError ends iteration
        for place in (*range(index, len(self)), *range(index)):
            try:
                return self._load_group(place)
            except BrokenImageError as error:
                if not isinstance(self.dataset, CheckedImages):
                    raise
                for person in np.unique(self.get_group(place)):
                    self.dataset.pass_over(person, error)
        raise ValueError(f'{type(self).__name__}: no image can be read')

    def _load_group(self, index: int) -> list:
        people = [self.dataset.get_data_info(i) for i in self.get_group(index).tolist()]
        image = self.load_image(dict(people[0]))['img']
        image.flags.writeable = False
        samples = []
        for place, person in enumerate(people, index * self.rois_per_image):
            person.update(img=image, sample_idx=place, dataset=self.dataset)
            samples.append(self.dataset.pipeline(person))
            if samples[-1] is None:
                raise ValueError(
                    f'{person["img_path"]}: the training pipeline dropped a person, '
                    f'and {type(self).__name__} cannot replace one'
                )
        return samples


def image_paths(dataset) -> list[str]:
    """The path of each sample's image."""
    if isinstance(dataset, CombinedDataset):
        return [path for part in dataset.datasets for path in image_paths(part)]
    read = dataset.get_data_info
    if isinstance(dataset, BaseDataset):
        # without the metainfo that MMPose's adds, in 1/5 of the time
        read = partial(BaseDataset.get_data_info, dataset)
    return [read(i)['img_path'] for i in range(len(dataset))]


@FUNCTIONS.register_module()
def flatten_rois(groups: list[list]) -> dict:
    """Collate the groups of :class:`ImageROIDataset` into one batch of people.

    Args:
        groups (list[list[dict]]): B groups of r packed samples.

    Returns:
        dict: As `mmengine.dataset.pseudo_collate` gives it for B * r samples.
    """
    return pseudo_collate(list(chain.from_iterable(groups)))
