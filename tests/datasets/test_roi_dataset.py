"""Every group is of one image and every person is in one, in any epoch, anywhere."""

import copy
import json
from collections import Counter

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmengine.dataset import BaseDataset
from mmengine.registry import FUNCTIONS
from mmpose.datasets.transforms import LoadImage
from mmpose.registry import DATA_SAMPLERS, DATASETS
from torch.utils.data import DataLoader

from ogn_mm.datasets import FullBatchSampler, ImageROIDataset, flatten_rois
from ogn_mm.datasets.transforms.seeding import TRAINING_CLOCK
from ogn_mm.engine.dataset_check import list_transforms

CODEC = dict(type='OffsetHeatmap', input_size=(48, 64), heatmap_size=(6, 8))
PIPELINE = [
    dict(type='SeedAugmentation'),
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale'),
    dict(type='ContiguousRandomFlip', direction='horizontal'),
    dict(type='RandomBBoxScaleRotate'),
    dict(type='TopdownAffine', input_size=(48, 64)),
    dict(type='GenerateTarget', encoder=CODEC),
    dict(type='PackPoseInputs'),
]


@pytest.fixture(autouse=True)
def clock():
    """A function that announces an epoch; the clock stops afterwards."""

    def announce(seed, epoch):
        TRAINING_CLOCK[:] = torch.tensor([seed, epoch])

    yield announce
    TRAINING_CLOCK.fill_(-1)


@pytest.fixture
def load(generated_people):
    def load(rois_per_image=4, pipeline=PIPELINE, **kwargs):
        dataset = dict(
            type='mmpose.ValidatedCocoDataset',
            data_root=str(generated_people),
            ann_file='annotations/train.json',
            data_prefix=dict(img='images/train'),
            pipeline=[dict(step, type=f'mmpose.{step["type"]}') for step in pipeline],
        )
        return ImageROIDataset(dataset, rois_per_image, **kwargs)

    return load


class People(BaseDataset):
    """People of images, without files: one image name a person."""

    def __init__(self, counts):
        self.names = [
            f'{i}.jpg' for i, count in enumerate(counts) for _ in range(count)
        ]
        np.random.default_rng(0).shuffle(self.names)
        super().__init__(pipeline=[LoadImage()], serialize_data=False)  # for speed

    def load_data_list(self):
        return [dict(img_path=name) for name in self.names]


COUNTS = st.lists(st.integers(0, 11), min_size=1, max_size=8).filter(any)


def draw_epoch(dataset):
    return [dataset.get_group(i).tolist() for i in range(len(dataset))]


@given(counts=COUNTS, rois=st.integers(1, 5), seed=st.integers(0, 9))
def test_groups_cover_every_person_evenly(counts, rois, seed):
    people = People(counts)
    dataset = ImageROIDataset(people, rois)
    assert len(dataset) == sum(-(-count // rois) for count in counts)
    TRAINING_CLOCK[:] = torch.tensor([seed, 3])
    groups = draw_epoch(dataset)
    for group in groups:
        assert len(group) == rois
        assert len({people.names[i] for i in group}) == 1
        # nobody twice where there are enough others
        company = people.names.count(people.names[group[0]])
        assert len(set(group)) == min(rois, company)
    times = Counter(i for group in groups for i in group)
    assert times.keys() == set(range(len(people)))
    for number, count in enumerate(counts):
        here = [times[i] for i in times if people.names[i] == f'{number}.jpg']
        if count:
            assert max(here) - min(here) <= 1
            # the docstring's average
            assert np.mean(here) == pytest.approx(rois * -(-count // rois) / count)


def test_epochs_differ_and_repeat(clock):
    dataset = ImageROIDataset(People([9, 5, 1]))
    in_order = draw_epoch(dataset)
    epochs = {}
    for key in ((7, 0), (7, 1), (8, 0)):
        clock(*key)
        epochs[key] = draw_epoch(dataset)
    assert len({str(groups) for groups in epochs.values()} | {str(in_order)}) == 4
    clock(7, 1)
    # in any order, also in a copy
    for other in (dataset, copy.deepcopy(dataset)):
        backwards = [other.get_group(i).tolist() for i in range(len(other))[::-1]]
        assert backwards[::-1] == epochs[7, 1]


@given(counts=COUNTS, ranks=st.integers(1, 8), batch=st.integers(1, 3))
def test_all_ranks_get_full_batches_and_together_everything(counts, ranks, batch):
    dataset = ImageROIDataset(People(counts))
    TRAINING_CLOCK[:] = torch.tensor([0, 1])
    seen, batches = Counter(), set()
    for rank in range(ranks):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                'mmengine.dataset.sampler.get_dist_info',
                lambda rank=rank: (rank, ranks),
            )
            sampler = FullBatchSampler(dataset, batch, seed=5)
        sampler.set_epoch(1)
        groups = list(sampler)
        assert len(groups) == len(sampler) and len(groups) % batch == 0
        batches.add(len(groups) // batch)
        seen.update(groups)
    assert seen.keys() == set(range(len(dataset)))
    assert sum(seen.values()) - len(dataset) < ranks * batch
    assert len(batches) == 1


@pytest.mark.parametrize('num_workers', [0, 2])
def test_batches_have_two_images_and_eight_people(load, clock, num_workers):
    """Every image is decoded once a group, and repeated people look different."""
    dataset = load()
    sampler = FullBatchSampler(dataset, 2, seed=0)
    loader = DataLoader(
        dataset, 2, sampler=sampler, num_workers=num_workers, collate_fn=flatten_rois
    )
    clock(3, 0)
    crops = []
    for batch in loader:
        assert len(batch['inputs']) == len(batch['data_samples']) == 8
        images = [sample.img_id for sample in batch['data_samples']]
        assert images == [images[0]] * 4 + [images[4]] * 4
        crops += [crop.numpy().tobytes() for crop in batch['inputs']]
    once = len(dataset) * 4
    assert len(set(crops)) == once and len(crops) - once in (0, 4)


def test_samples_do_not_depend_on_workers_or_the_past(load, clock):
    dataset = load()
    clock(3, 2)
    first = [group[0]['inputs'] for group in DataLoader(dataset, None, num_workers=2)]
    again = [dataset[i][0]['inputs'] for i in range(len(dataset))[::-1]][::-1]
    assert all(map(torch.equal, first, again))


def test_group_equals_single_samples(load, clock):
    """What the wrapped data set gives, but for the numbers that augmentation draws."""
    still = [step for step in PIPELINE if 'Random' not in step['type']]
    dataset = load(pipeline=still)
    clock(0, 0)
    for index in (0, len(dataset) - 1):
        for i, sample in zip(dataset.get_group(index), dataset[index], strict=True):
            single = dataset.dataset[int(i)]
            assert torch.equal(sample['inputs'], single['inputs'])
            ours, theirs = sample['data_samples'], single['data_samples']
            assert ours.metainfo.keys() == theirs.metainfo.keys()
            assert ours.img_shape == theirs.img_shape == ours.ori_shape
            assert torch.equal(ours.gt_fields.offsets, theirs.gt_fields.offsets)


def test_image_is_decoded_once_and_nobody_writes_to_it(load, monkeypatch):
    dataset = load()
    decoded, images = [], []
    imdecode = cv2.imdecode
    monkeypatch.setattr(
        cv2, 'imdecode', lambda *args: decoded.append(1) or imdecode(*args)
    )
    pipeline = dataset.dataset.pipeline.transforms
    after_loading = pipeline.index(dataset.load_image) + 1
    pipeline.insert(
        after_loading, lambda results: images.append(results['img']) or results
    )
    dataset[0]
    assert len(decoded) == 1 and len(images) == 4
    assert all(image is images[0] for image in images)

    def blacken(results):
        results['img'][:] = 0
        return results

    pipeline.insert(after_loading, blacken)
    with pytest.raises(ValueError, match='read-only'):
        dataset[0]


def test_wraps_as_mmengine_expects(load, generated_people):
    dataset = load(lazy_init=True)
    assert not hasattr(dataset, 'people')
    dataset.full_init()
    annotations = json.loads((generated_people / 'annotations/train.json').read_text())
    assert len(dataset.people) == len(annotations['annotations'])
    assert dataset.metainfo['num_keypoints'] == 17
    assert len(list_transforms(dataset)) == len(PIPELINE)
    assert DATASETS.get('ImageROIDataset') is ImageROIDataset
    assert DATA_SAMPLERS.get('FullBatchSampler') is FullBatchSampler
    assert FUNCTIONS.get('flatten_rois') is flatten_rois


def test_errors(load):
    with pytest.raises(ValueError, match='rois_per_image must be at least 1, got 0'):
        load(0)
    with pytest.raises(ValueError, match='the pipeline needs LoadImage'):
        load(pipeline=PIPELINE[:1])
    with pytest.raises(ValueError, match='batch_size must be at least 1'):
        FullBatchSampler(range(4), 0)
    dataset = load()
    dataset.dataset.pipeline.transforms.append(lambda results: None)
    with pytest.raises(ValueError, match=r'\.jpg: the training pipeline dropped a per'):
        dataset[0]
