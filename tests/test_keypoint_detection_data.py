"""Boxes and keypoints together: from files to model inputs and figures."""

from pathlib import Path

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

import ogn_mm  # noqa: F401

FOLDER = Path(__file__).parents[1] / 'configs/_base_/datasets'
STEMS = ['coco_keypoint_detection', 'generated_keypoint_detection']


@pytest.fixture(params=STEMS)
def config(request, generated_people):
    """A config whose loaders read the generated people, in this process."""
    init_default_scope('mmdet')
    config = Config.fromfile(FOLDER / f'{request.param}.py')
    assert config.test_dataloader == config.val_dataloader
    assert config.test_evaluator == config.val_evaluator
    for split, metrics in (('train', []), ('val', config.val_evaluator)):
        loader = config[f'{split}_dataloader']
        loader.update(num_workers=0, persistent_workers=False)
        loader.dataset.update(
            data_root=str(generated_people),
            ann_file=f'annotations/{split}.json',
            data_prefix=dict(img=f'images/{split}/'),
        )
        for metric in metrics:
            metric.ann_file = f'{generated_people}/annotations/{split}.json'
    return config


@pytest.fixture
def preprocessor():
    """MMDetection's, as in its models."""
    init_default_scope('mmdet')
    return MODELS.build(
        dict(
            type='DetDataPreprocessor',
            mean=[123.675, 116.28, 103.53],
            std=[58.395, 57.12, 57.375],
            bgr_to_rgb=True,
            pad_size_divisor=32,
        )
    )


def test_training_samples(config, preprocessor):
    loader = Runner.build_dataloader(config.train_dataloader, seed=0)
    people = 0
    for batch in loader:
        data = preprocessor(batch, training=True)
        inputs, samples = data['inputs'], data['data_samples']
        assert inputs.dtype == torch.float32
        assert inputs.shape[:2] == (config.train_dataloader.batch_size, 3)
        for sample in samples:
            instances = sample.gt_instances
            number = len(instances)
            people += number
            assert type(instances.bboxes) is torch.Tensor
            assert instances.bboxes.shape == (number, 4)
            assert instances.keypoints.shape == (number, 17, 2)
            assert instances.keypoints_visible.shape == (number, 17)
            assert instances.keypoints.dtype == torch.float32
            shown = instances.keypoints_visible > 0
            height, width = sample.img_shape
            size = torch.tensor([width, height])
            assert (instances.keypoints[shown] <= size - 0.5).all()
            # labelled keypoints lie in their boxes, up to the annotations' rounding
            boxes = instances.bboxes[:, None]
            inside = (instances.keypoints >= boxes[..., :2] - 4) & (
                instances.keypoints <= boxes[..., 2:] + 4
            )
            assert inside.all(-1)[shown].float().mean() > 0.95
    assert people >= 10


def test_test_samples_are_annotated_in_the_original_image(config, preprocessor):
    loader = Runner.build_dataloader(config.val_dataloader)
    assert len(loader) == 6
    for batch in loader:
        (sample,) = preprocessor(batch)['data_samples']
        assert sample.ori_shape == (120, 160) != sample.img_shape
        assert sample.scale_factor[0] > 1.5
        (info,) = (
            info
            for info in loader.dataset
            if info['data_samples'].img_id == sample.img_id
        )
        assert sample.gt_instances.keypoints.max() < 160
        assert info['data_samples'].gt_instances.keypoints.equal(
            sample.gt_instances.keypoints
        )


def test_annotations_as_predictions_are_perfect(config, preprocessor):
    loader = Runner.build_dataloader(config.val_dataloader)
    evaluator = Evaluator(config.val_evaluator)
    evaluator.dataset_meta = loader.dataset.metainfo
    for batch in loader:
        samples = preprocessor(batch)['data_samples']
        for sample in samples:
            found = sample.pred_instances = sample.gt_instances.clone()
            found.scores = torch.linspace(0.9, 0.8, len(found))
            found.keypoint_scores = found.keypoints_visible
        evaluator.process(samples, batch)
    figures = evaluator.evaluate(len(loader.dataset))
    assert figures['coco/AP'] == pytest.approx(1)
    assert figures['coco/bbox_mAP'] == 1
