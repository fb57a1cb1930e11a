"""An annotation file of 150,000 people, as many as COCO train2017 has."""

import json
import os
import time
from collections import defaultdict

import numpy as np
import pytest
from memory import private_memory, resident_memory
from mmengine.dataset import pseudo_collate
from mmpose.registry import DATASETS
from torch.utils.data import DataLoader

NUM_PEOPLE, NUM_IMAGES = 150_000, 60_000
CATEGORIES = [dict(id=1, name='person')]


@pytest.fixture(scope='module')
def large_file(tmp_path_factory):
    """120 MB of people with polygons; their images are not needed."""
    rng = np.random.default_rng(0)
    images = [
        dict(id=i, file_name=f'{i:012}.jpg', width=640, height=480)
        for i in range(NUM_IMAGES)
    ]
    people = []
    for i in range(NUM_PEOPLE):
        corner, size = rng.uniform(0, 300, 2).round(2), rng.uniform(40, 170, 2).round(2)
        keypoints = np.full((17, 3), 2.0)
        keypoints[:, :2] = corner + rng.random((17, 2)) * size
        outline = corner + rng.random((20, 2)) * size
        people.append(
            dict(
                id=i,
                image_id=int(rng.integers(NUM_IMAGES)),
                category_id=1,
                iscrowd=0,
                bbox=[*corner, *size],
                area=float(size.prod()),
                num_keypoints=17,
                keypoints=keypoints.round(1).ravel().tolist(),
                segmentation=[outline.round(2).ravel().tolist()],
            )
        )
    path = tmp_path_factory.mktemp('large') / 'people.json'
    content = dict(images=images, annotations=people, categories=CATEGORIES)
    path.write_text(json.dumps(content))
    return path


class InfoDataset:
    """What a data set knows of each sample, without its image.

    The memory of the worker is noted at every 1000th sample, since that takes long.
    """

    def __init__(self, dataset):
        self.dataset = dataset

    def __len__(self):
        return len(self.dataset)

    def __getitem__(self, index):
        info = self.dataset.get_data_info(index)
        memory = private_memory() if index % 1000 == 0 else None
        return dict(id=info['id'], memory=memory, pid=os.getpid())


@pytest.mark.full
def test_workers_share_what_was_loaded_once(large_file):
    before, start = resident_memory(), time.process_time()
    dataset = DATASETS.build(
        dict(
            type='mmpose.ValidatedCocoDataset',
            ann_file=str(large_file),
            data_mode='topdown',
            pipeline=[],
            check_images=False,
        )
    )
    seconds = time.process_time() - start
    shared = dataset.data_bytes.nbytes / 2**20
    loader = DataLoader(
        InfoDataset(dataset),
        batch_size=100,
        num_workers=2,
        shuffle=True,
        collate_fn=pseudo_collate,
    )
    noted, ids = defaultdict(list), []
    for batch in loader:
        ids += batch['id']
        for pid, memory in zip(batch['pid'], batch['memory'], strict=True):
            if memory is not None:
                noted[pid].append(memory)
    grown = [round(memory[-1] - memory[0]) for memory in noted.values()]
    print(
        f'{seconds:.1f} s to load; {shared:.0f} MiB serialised, '
        f'{resident_memory() - before:.0f} MiB more than before; '
        f'private memory of workers grew by {grown} MiB in an epoch'
    )
    assert sorted(ids) == list(range(NUM_PEOPLE))
    assert len(grown) == 2
    # a copy of the samples alone would be the size of `shared`
    assert max(grown) < shared / 4
