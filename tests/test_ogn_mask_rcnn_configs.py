"""Offset-guided Mask R-CNN: names, the rows of Table 4, training and testing."""

import ast
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from tiny_detector import load_tiny, read_config

from ogn_mm.datasets import CocoKeypointDetectionDataset

FOLDER = Path(__file__).parents[1] / 'configs/ogn_mask_rcnn'
TEST_DEV = FOLDER / 'ogn-mask-rcnn_r101_fpn-rc_8xb2-1x_coco_test-dev.py'
CONFIGS = [path for path in sorted(FOLDER.glob('*.py')) if path != TEST_DEV]
NAME = re.compile(
    r'(?P<algorithm>kpt|ogn)-mask-rcnn_r(?P<depth>50|101)_fpn(-(?P<softmax>softmax))?'
    r'(-(?P<ratio>rc))?_(?P<gpus>\d)xb(?P<batch>\d)-1x_coco'
)
RECIPE = FOLDER / 'kpt-mask-rcnn_r50_fpn_8xb2-1x_coco.py'
POSETRACK = ('posetrack17', 'posetrack18')
ON_COCO = [path for path in CONFIGS if path.stem.endswith('_coco')]
# On the CPU the maps of full-size heads would take most of the tests' time.
TINY_HEAD = dict(num_convs=2, conv_out_channels=16)


@pytest.fixture(params=ON_COCO, ids=lambda path: path.stem)
def path(request):
    init_default_scope('mmdet')
    return request.param


def test_there_are_four_rows_for_each_backbone_and_data_set():
    assert len(ON_COCO) == 8
    stems = {path.stem.removesuffix('coco') for path in ON_COCO}
    on_posetrack = {stem + data for stem in stems for data in POSETRACK}
    assert {path.stem for path in CONFIGS} == on_posetrack | {
        path.stem for path in ON_COCO
    }


def test_name_says_what_the_config_is(path):
    name = NAME.fullmatch(path.stem)
    assert name, 'the name does not follow the scheme'
    config = read_config(path)
    assert config.custom_imports.imports == ['ogn_mm']
    assert config.model.backbone.depth == int(name['depth'])
    assert config.model.backbone.init_cfg.checkpoint.endswith(name['depth'])
    roi_head = config.model.roi_head
    offset = name['algorithm'] == 'ogn'
    head = roi_head.keypoint_head
    assert head.type == ('OffsetKeypointHead' if offset else 'OneHotKeypointHead')
    score_loss = head.get('score_loss', 'smooth_l1') if offset else None
    assert (score_loss == 'softmax') == bool(name['softmax'])
    size = (22, 16) if name['ratio'] else 14
    assert roi_head.keypoint_roi_extractor.roi_layer.output_size == size
    assert roi_head.get('ratio') == (256 / 352 if name['ratio'] else None)
    assert config.train_dataloader.batch_size == int(name['batch'])
    batch = int(name['gpus']) * int(name['batch'])
    assert config.auto_scale_lr.base_batch_size == batch
    assert config.train_cfg.max_epochs == 12
    assert config.default_hooks.checkpoint.type == 'mmpose.ResumableCheckpointHook'
    assert config.default_hooks.checkpoint.save_best == 'coco/AP'


def test_rows_differ_in_their_switches_alone(path):
    config, recipe = (read_config(p).to_dict() for p in (path, RECIPE))
    for own in (config, recipe):
        roi_head, backbone = own['model']['roi_head'], own['model']['backbone']
        for part in ('keypoint_head', 'keypoint_roi_extractor', 'ratio'):
            roi_head.pop(part, None)
        for part in ('depth', 'init_cfg'):
            backbone.pop(part)
    assert config == recipe


def test_posetrack_s_configs_say_the_same_of_their_rows():
    """Their texts differ in names alone, so that one of them stands for all."""
    texts = set()
    for base in ON_COCO:
        for data in POSETRACK:
            path = base.with_stem(base.stem.replace('coco', data))
            text = path.read_text().replace(base.stem, 'ROW').replace(data, 'DATA')
            texts.add(ast.dump(ast.parse(text)))
    assert len(texts) == 1


@pytest.mark.parametrize('data', POSETRACK)
def test_posetrack_begins_from_the_same_row_on_coco(data):
    """What differs is data, their evaluation, the learning rate and the start."""
    base = FOLDER / 'ogn-mask-rcnn_r101_fpn-rc_8xb2-1x_coco.py'
    path = base.with_stem(base.stem.replace('coco', data))
    config, coco = (read_config(p).to_dict() for p in (path, base))
    assert config['load_from'] == f'work_dirs/{base.stem}/epoch_12.pth'
    assert coco['load_from'] is None
    for split in ('train', 'val', 'test'):
        loader = config[f'{split}_dataloader']
        folder = 'train' if split == 'train' else 'val'
        ann_file = f'annotations/{data}_{folder}.json'
        assert loader['dataset']['data_root'] == f'data/{data}/'
        assert loader['dataset']['ann_file'] == ann_file
        metainfo = loader['dataset'].pop('metainfo')
        assert metainfo['from_file'].endswith('posetrack18.py')
        if split != 'train':
            files = {metric['ann_file'] for metric in config[f'{split}_evaluator']}
            assert files == {f'data/{data}/{ann_file}'}
    for own in (config, coco):
        own['optim_wrapper']['optimizer'].pop('lr')
        own.pop('load_from')
        for split in ('train', 'val', 'test'):
            for part in ('data_root', 'ann_file', 'data_prefix'):
                own[f'{split}_dataloader']['dataset'].pop(part)
            for metric in own.get(f'{split}_evaluator', []):
                metric.pop('ann_file')
        for key in [key for key in own if key.startswith('posetrack')]:
            own.pop(key)
    assert config == coco


@pytest.mark.slow
@pytest.mark.parametrize('path', ON_COCO, ids=lambda path: path.stem)
def test_full_size_model_builds_and_gives_maps(path):
    init_default_scope('mmdet')
    config = Config.fromfile(path)
    config.model.backbone.init_cfg = None
    model = MODELS.build(config.model)
    head = model.roi_head.keypoint_head
    height, width = head.roi_feat_size
    with torch.no_grad():
        maps = head(torch.zeros(1, 256, height, width))
    size = (88, 64) if '-rc_' in path.stem else (56, 56)
    assert maps.shape == (1, 17 if 'kpt-' in path.stem else 51, *size)


def small_recipe(path, data_root, work_dir):
    """A recipe with a tiny model, two iterations on four images, and validation."""
    init_default_scope('mmdet')
    config = load_tiny(path)
    config.work_dir = str(work_dir)
    config.model.roi_head.keypoint_head.update(TINY_HEAD)
    config.model.test_cfg.rcnn.update(score_thr=0.0, max_per_img=10)
    for split in ('train', 'val', 'test'):
        loader = config[f'{split}_dataloader']
        loader.update(num_workers=0, persistent_workers=False)
        folder = 'train' if split == 'train' else 'val'
        loader.dataset.update(
            data_root=str(data_root),
            ann_file=f'annotations/{folder}.json',
            data_prefix=dict(img=f'images/{folder}/'),
            indices=4,
        )
        for step in loader.dataset.pipeline:
            if 'Resize' in step.type:
                step.clear()
                step.update(type='Resize', scale=(160, 120), keep_ratio=True)
        for metric in config[f'{split}_evaluator'] if split != 'train' else []:
            metric.ann_file = f'{data_root}/annotations/val.json'
    config.train_cfg = dict(type='IterBasedTrainLoop', max_iters=2, val_interval=2)
    config.train_dataloader.sampler.type = 'InfiniteSampler'
    config.param_scheduler = []
    config.default_hooks.checkpoint.update(by_epoch=False, interval=2)
    return config


@pytest.mark.slow
@pytest.mark.parametrize(
    'path',
    [path for path in ON_COCO if '_r50_' in path.stem],
    ids=lambda path: path.stem,
)
def test_recipe_trains_and_validates(path, generated_people, tmp_path):
    """Two iterations change the keypoint head; boxes and keypoints are evaluated."""
    runner = Runner.from_cfg(small_recipe(path, generated_people, tmp_path))
    runner.model.init_weights()
    before = runner.model.roi_head.keypoint_head.deconv.weight.clone()
    runner.train()
    assert runner.iter == 2
    after = runner.model.roi_head.keypoint_head.deconv.weight
    assert torch.isfinite(after).all() and not torch.equal(before, after)
    for name in ('bbox_mAP', 'AP'):
        assert 0 <= runner.message_hub.get_scalar(f'val/coco/{name}').current() <= 1
    assert list(tmp_path.glob('best_coco_AP_iter_2.pth'))


def write_posetrack(people, root):
    """PoseTrack's keypoints of the generated people; ears are not labelled."""
    (root / 'annotations').mkdir()
    (root / 'images').symlink_to(people / 'images')
    for split in ('train', 'val'):
        content = json.loads((people / f'annotations/{split}.json').read_text())
        for person in content['annotations']:
            keypoints = np.array(person['keypoints'], float).reshape(17, 3)
            shoulders = keypoints[5:7].mean(axis=0)
            keypoints[1, :2] = shoulders[:2]
            keypoints[2, :2] = 2 * keypoints[0, :2] - shoulders[:2]
            keypoints[1:3, 2] = 2
            keypoints[3:5] = 0
            person['keypoints'] = keypoints.ravel().tolist()
            person['num_keypoints'] = int((keypoints[:, 2] > 0).sum())
        (root / f'annotations/{split}.json').write_text(json.dumps(content))


@pytest.mark.slow
def test_posetrack_learns_from_weights_of_coco(generated_people, tmp_path):
    """The head's channels are put in place; the ears do not learn."""
    posetrack, coco = tmp_path / 'data', str(tmp_path / 'coco.pth')
    posetrack.mkdir()
    write_posetrack(generated_people, posetrack)
    path = FOLDER / 'ogn-mask-rcnn_r50_fpn-rc_8xb2-1x_posetrack18.py'
    config = small_recipe(path, posetrack, tmp_path)
    config.load_from = coco
    config.optim_wrapper.optimizer.update(lr=1e-4, weight_decay=0)
    config.val_cfg = config.val_dataloader = config.val_evaluator = None
    config.train_cfg = dict(type='IterBasedTrainLoop', max_iters=1)
    model = MODELS.build(config.model)
    model.init_weights()
    meta = dict(dataset_meta=CocoKeypointDetectionDataset._load_metainfo())
    before = model.state_dict()
    torch.save(dict(state_dict=before, meta=meta), coco)

    runner = Runner.from_cfg(config)
    runner.train()
    deconv = 'roi_head.keypoint_head.deconv.weight'
    offset = 'roi_head.keypoint_head.offset_deconv.weight'
    after = runner.model.state_dict()
    for ear in (3, 4):
        assert torch.equal(after[deconv][:, ear], before[deconv][:, ear])
        both = slice(2 * ear, 2 * ear + 2)
        assert torch.equal(after[offset][:, both], before[offset][:, both])
    for own, source in ((0, 0), (1, 0), (2, 0), (5, 5), (16, 16)):
        change = (after[deconv][:, own] - before[deconv][:, source]).abs().max()
        assert 0 < change < 5e-4


def test_ears_of_posetrack_do_not_count(generated_people, tmp_path):
    """Predictions with ears anywhere, and all else in place, are perfect."""
    init_default_scope('mmdet')
    write_posetrack(generated_people, tmp_path)
    config = small_recipe(
        FOLDER / 'kpt-mask-rcnn_r50_fpn_8xb2-1x_posetrack17.py', tmp_path, tmp_path
    )
    del config.val_dataloader.dataset['indices']
    loader = Runner.build_dataloader(config.val_dataloader)
    evaluator = Evaluator(config.val_evaluator)
    evaluator.dataset_meta = loader.dataset.metainfo
    for batch in loader:
        (sample,) = batch['data_samples']
        found = sample.pred_instances = sample.gt_instances.clone()
        assert not found.keypoints_visible[:, 3:5].any()
        found.keypoints[:, 3:5] = 1000
        found.scores = torch.linspace(0.9, 0.8, len(found))
        found.keypoint_scores = torch.ones_like(found.keypoints_visible)
        evaluator.process([sample], batch)
    figures = evaluator.evaluate(len(loader.dataset))
    assert figures['coco/AP'] == pytest.approx(1)
    assert figures['coco/bbox_mAP'] == 1
