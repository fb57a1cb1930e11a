"""PoseTrack's base configs: which joints train, and videos in the test loop."""

import json
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.registry import METRICS, MODELS

from ogn_mm.datasets.generated_people import generate_videos

BASES = Path(__file__).parents[1] / 'configs/_base_/datasets'
CODEC = dict(
    type='OffsetHeatmap', input_size=(48, 64), heatmap_size=(12, 16), radius=2.0
)
EYES, HEAD_ENDS, EARS = [1, 2], [1, 2], [3, 4]


@pytest.fixture(scope='module')
def videos(tmp_path_factory):
    """Root of two videos to train and two of 3 frames to test."""
    root = tmp_path_factory.mktemp('videos')
    generate_videos(root, dict(train=2, val=2), frames=3, size=(96, 72), seed=1)
    return root


def training_batch(name, videos, people):
    """A batch of all people, and where each comes from, through the whole pipeline."""
    config = Config.fromfile(BASES / f'{name}.py')
    loader = config.train_dataloader
    whole = loader.dataset
    for dataset in whole.get('datasets', [whole]):
        coco = 'coco' in dataset.data_root
        prefix = 'images/train' if coco else ''
        dataset.update(data_root=str(people if coco else videos))
        dataset.update(ann_file='annotations/train.json', data_prefix=dict(img=prefix))
    pipeline = whole.pipeline
    pipeline[-3].input_size, pipeline[-2].encoder = (48, 64), CODEC
    loader.update(batch_size=500, num_workers=0, persistent_workers=False)
    loader.update(drop_last=False, sampler=dict(type='DefaultSampler', shuffle=False))
    batch = next(iter(Runner.build_dataloader(loader)))
    weights = np.concatenate(
        [s.gt_instance_labels.keypoint_weights for s in batch['data_samples']]
    )
    from_videos = [str(videos) in s.img_path for s in batch['data_samples']]
    return weights, np.array(from_videos), batch['data_samples'][0].metainfo


@pytest.mark.parametrize('name', ['posetrack17', 'posetrack18', 'generated_videos'])
def test_posetracks_people_train_all_but_the_ears(name, videos, generated_people):
    weights, _, meta = training_batch(f'{name}_keypoints', videos, generated_people)
    trained = weights.any(axis=0)
    assert not trained[EARS].any() and trained.sum() == 15
    assert meta['flip_indices'][:7] == [0, 1, 2, 4, 3, 6, 5]


def test_cocos_people_train_a_network_with_posetracks_joints(videos, generated_people):
    name = 'coco_posetrack18_keypoints'
    weights, posetrack, meta = training_batch(name, videos, generated_people)
    coco = weights[~posetrack].any(axis=0)
    assert not coco[HEAD_ENDS].any() and coco.sum() == 15
    trained = weights[posetrack].any(axis=0)
    assert trained[HEAD_ENDS].all() and not trained[EARS].any()
    assert meta['flip_indices'][:7] == [0, 1, 2, 4, 3, 6, 5]


def test_posetracks_people_train_a_network_with_cocos_joints(videos, generated_people):
    name = 'posetrack18_coco_keypoints'
    weights, posetrack, meta = training_batch(name, videos, generated_people)
    assert posetrack.all()
    trained = weights.any(axis=0)
    assert not trained[EYES + EARS].any() and trained.sum() == 13
    assert meta['flip_indices'][:7] == [0, 2, 1, 4, 3, 6, 5]


@pytest.mark.parametrize('name', ['posetrack17', 'posetrack18'])
def test_the_releases_folders(name):
    config = Config.fromfile(BASES / f'{name}_keypoints.py')
    for split in ('train', 'val'):
        dataset = config[f'{split}_dataloader'].dataset
        assert dataset.data_root == f'data/{name}/' and dataset.data_prefix.img == ''
        assert dataset.ann_file == f'annotations/{name}_{split}.json'
    assert config.test_dataloader == config.val_dataloader
    ann_file = f'data/{name}/annotations/{name}_val.json'
    assert config.val_evaluator.ann_file == config.test_evaluator.ann_file == ann_file


# ------------------------------------------------------------------- videos


@MODELS.register_module()
class Onlooker(BaseModel):
    """Passes samples on, as a tracker would that finds nobody."""

    def forward(self, inputs, data_samples=None, mode='tensor'):
        assert len(data_samples) == 1 and inputs[0].shape == (3, 72, 96)
        return data_samples


@METRICS.register_module()
class FramesSeen(BaseMetric):
    """The order in which frames came."""

    default_prefix = 'seen'

    def __init__(self, notes):
        super().__init__()
        self.notes = notes

    def process(self, data_batch, data_samples):
        self.results += [(s['video_id'], s['frame_id']) for s in data_samples]

    def compute_metrics(self, results):
        self.notes.write_text(json.dumps(results))
        return dict(frames=len(results))


def test_the_runner_tests_whole_videos_in_order(videos, tmp_path):
    config = Config.fromfile(BASES / 'generated_videos.py')
    assert config.test_evaluator.gt_dir == 'data/generated_videos/annotations/val'
    init_default_scope('mmpose')
    config.test_dataloader.dataset.data_root = str(videos)
    runner = Runner(
        model=dict(type='Onlooker'),
        work_dir=str(tmp_path),
        test_dataloader=config.test_dataloader,
        test_evaluator=dict(type='FramesSeen', notes=tmp_path / 'notes'),
        test_cfg=dict(),
        default_scope='mmpose',
        experiment_name='videos',
    )
    assert runner.test() == {'seen/frames': 6}
    names = ['000001_mpii_val', '000002_mpii_val']
    expected = [[name, frame] for name in names for frame in range(3)]
    assert json.loads((tmp_path / 'notes').read_text()) == expected
