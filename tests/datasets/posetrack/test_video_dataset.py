"""Whole videos in frame order, whatever the number of processes and workers."""

import time
from unittest.mock import patch

import mmdet.registry
import numpy as np
import pytest
import torch
from mmengine.dist import collect_results
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.registry import DATASETS, TRANSFORMS
from tiny_sequences import annolist17, person, pose, sequence18, write, write_images

from ogn_mm.datasets import PoseTrackVideoDataset, VideoSampler
from ogn_mm.datasets.posetrack.video_dataset import PIPELINE

LENGTHS = {'000001_mpii_val': 3, '000002_mpii_val': 5, '000003_bonn_val': 1}


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    """Three videos; the second frame of the first has two people, one region."""
    root = tmp_path_factory.mktemp('videos')
    for name, frames in LENGTHS.items():
        first = 10_000_000_001 + 10_000 * int(name[:6])
        people = [
            person(first, 0, 4, bbox=[1, 2, 10, 20]),
            person(first, 1, 2, pose(y=7)),
        ]
        corners = dict(ignore_regions_x=[[0, 9, 9]], ignore_regions_y=[[0, 0, 9]])
        content = sequence18(
            name, frames, people if frames == 3 else (), 'val', f1=corners
        )
        write(root / 'annotations/val', name, content)
        write_images(root, content)
    return root


@pytest.fixture
def dataset(root):
    return PoseTrackVideoDataset('annotations/val', str(root), test_mode=True)


def test_frames_are_in_order(dataset):
    assert len(dataset) == 9 and dataset.video_lengths == [3, 5, 1]
    metas = [dataset[i]['data_samples'].metainfo for i in range(9)]
    assert [(m['video_id'], m['frame_id']) for m in metas] == [
        (name, i) for name, frames in LENGTHS.items() for i in range(frames)
    ]
    assert [m['video_length'] for m in metas] == [3] * 3 + [5] * 5 + [1]


def test_a_frames_sample(dataset, root):
    sample = dataset[1]
    image, sample = sample['inputs'], sample['data_samples']
    assert image.shape == (3, 48, 64) and image.dtype == torch.uint8
    meta = sample.metainfo
    assert meta['img_path'] == str(root / 'images/val/000001_mpii_val/000001.jpg')
    assert meta['img_id'] == 10_000_010_001
    assert meta['ori_shape'] == meta['img_shape'] == (48, 64)
    np.testing.assert_array_equal(meta['ignore_regions'], [[[0, 0], [9, 0], [9, 9]]])
    people = sample.gt_instances
    assert people.track_ids.tolist() == [4, 2]
    assert people.bboxes[0].tolist() == [1, 2, 11, 22]
    # made of the keypoints, which go from (10, 7) to (26, 23)
    np.testing.assert_allclose(people.bboxes[1], [8.8, 5.8, 27.2, 24.2], rtol=1e-6)
    np.testing.assert_array_equal(people.keypoints[1], pose(y=7)[:, :2])
    assert people.keypoints_visible.sum(axis=1).tolist() == [15, 15]

    nobody = dataset[0]['data_samples'].gt_instances
    assert nobody.bboxes.shape == (0, 4) and nobody.track_ids.shape == (0,)
    assert nobody.keypoints.shape == (0, 17, 2)
    assert nobody.keypoints_visible.shape == (0, 17)
    assert dataset[0]['data_samples'].metainfo['ignore_regions'] == []


@pytest.mark.parametrize('registry', [DATASETS, mmdet.registry.DATASETS])
def test_both_registries_and_the_skeleton(root, registry):
    init_default_scope(registry.scope)
    config = dict(type='PoseTrackVideoDataset', ann_dir=str(root / 'annotations/val'))
    dataset = registry.build(config | dict(data_root=str(root)))
    assert dataset.metainfo['dataset_name'] == 'posetrack18'
    assert dataset[0]['inputs'].shape == (3, 48, 64)


def test_2017_and_part_of_a_data_set(tmp_path):
    content = annolist17([[(0, pose())], [], []])
    images = [dict(id=i, file_name=f['image'][0]['name']) for i, f in
              enumerate(content['annolist'])]  # fmt: skip
    write_images(tmp_path, dict(images=images))
    write(tmp_path / 'val', '020910_mpii', content)
    dataset = PoseTrackVideoDataset('val', str(tmp_path), indices=2)
    assert dataset.video_lengths == [2]
    assert len(dataset[0]['data_samples'].gt_instances) == 1


def test_frames_in_another_order_are_reported(tmp_path):
    content = sequence18()
    content['images'].reverse()
    write(tmp_path, '000001_bonn_train', content)
    with patch('ogn_mm.datasets.posetrack.video_dataset.print_log') as log:
        dataset = PoseTrackVideoDataset(str(tmp_path), check_images=False)
    assert [dataset.get_data_info(i)['frame_id'] for i in range(3)] == [0, 1, 2]
    assert any(
        '1 videos list their frames in another' in c.args[0] for c in log.call_args_list
    )


def test_missing_files_are_errors(root, tmp_path):
    with pytest.raises(FileNotFoundError, match='there is no folder with JSON files'):
        PoseTrackVideoDataset('annotations', str(root))
    write(tmp_path, '000001_mpii_val', sequence18())
    with pytest.raises(FileNotFoundError, match='3 of 3 images do not exist'):
        PoseTrackVideoDataset(str(tmp_path))
    assert len(PoseTrackVideoDataset(str(tmp_path), check_images=False)) == 3


# ------------------------------------------------------------------ loading


@TRANSFORMS.register_module()
class NoteFrame:
    """Writes which frames were read into a file, and is slow for the first."""

    def __init__(self, path):
        self.path = path

    def __call__(self, results):
        time.sleep(0.05 * (results['frame_id'] == 0))
        with open(self.path, 'a') as file:
            file.write(f'{results["sample_idx"]}\n')
        return results


def loader(root, workers=0, **pipeline):
    dataset = dict(
        type='PoseTrackVideoDataset',
        ann_dir='annotations/val',
        data_root=str(root),
        test_mode=True,
        **pipeline,
    )
    config = dict(batch_size=1, num_workers=workers, sampler=dict(type='VideoSampler'))
    return Runner.build_dataloader(config | dict(dataset=dataset))


def test_workers_read_ahead_and_deliver_in_order(root, tmp_path):
    notes = tmp_path / 'read'
    pipeline = [dict(type='NoteFrame', path=str(notes)), *PIPELINE]
    batches = iter(loader(root, workers=2, pipeline=pipeline))
    seen = [next(batches)['data_samples'][0]]
    # while the first frame is in use, the workers read others
    deadline = time.monotonic() + 30
    while len(notes.read_text().split()) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(notes.read_text().split()) >= 4
    seen += [batch['data_samples'][0] for batch in batches]
    assert [(s.video_id, s.frame_id) for s in seen] == [
        (name, i) for name, frames in LENGTHS.items() for i in range(frames)
    ]


def frames_of_a_process(rank, processes, root, store, out):
    torch.distributed.init_process_group(
        'gloo', init_method=f'file://{store}', rank=rank, world_size=processes
    )
    init_default_scope('mmpose')
    frames = loader(root)
    keys = []
    for batch in frames:
        sample = batch['data_samples'][0]
        keys.append((sample.video_id, sample.frame_id))
    torch.save(keys, f'{out}/{rank}')
    together = collect_results(keys, len(frames.dataset), 'cpu', f'{out}/collected')
    if rank == 0:
        torch.save(together, f'{out}/all')
    torch.distributed.destroy_process_group()


def test_whole_videos_for_each_process(root, tmp_path):
    """Unequal shares, one of them empty: every frame comes once, none is lost."""
    arguments = (4, root, tmp_path / 'store', tmp_path)
    torch.multiprocessing.start_processes(
        frames_of_a_process, arguments, nprocs=4, start_method='fork'
    )
    shares = [torch.load(tmp_path / str(rank)) for rank in range(4)]
    assert sorted(map(len, shares)) == [0, 1, 3, 5]
    expected = [(name, i) for name, n in LENGTHS.items() for i in range(n)]
    for share in shares:
        assert share == [frame for frame in expected if frame[0] in dict(share)]
    assert sorted(torch.load(tmp_path / 'all')) == expected


def test_the_sampler_alone(dataset):
    sampler = VideoSampler(dataset, seed=3)
    assert list(sampler) == list(range(9)) and len(sampler) == 9
