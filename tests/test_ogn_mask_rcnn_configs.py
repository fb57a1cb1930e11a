"""Offset-guided Mask R-CNN: names, the rows of Table 4, training and testing."""

import re
from pathlib import Path

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from tiny_detector import load_tiny, read_config

from ogn_mm.engine.launch import OGNRunner

FOLDER = Path(__file__).parents[1] / 'configs/ogn_mask_rcnn'
CONFIGS = sorted(FOLDER.glob('*-mask-rcnn_*_coco.py'))


LAPTOP = sorted(FOLDER.glob('*-mask-rcnn_*_generated-crowds-240x320.py'))
NAME = re.compile(
    r'(?P<algorithm>kpt|ogn)-mask-rcnn_r(?P<depth>18-half|50|101)_fpn'
    r'(-(?P<softmax>softmax))?(-(?P<ratio>rc))?_(?P<gpus>\d)xb(?P<batch>\d)-'
    r'(1x_coco|1e_generated-crowds-240x320)'
)
RECIPE = FOLDER / 'kpt-mask-rcnn_r50_fpn_8xb2-1x_coco.py'
LAPTOP_RECIPE = (
    FOLDER / 'kpt-mask-rcnn_r18-half_fpn_1xb2-1e_generated-crowds-240x320.py'
)
# On the CPU the maps of full-size heads would take most of the tests' time.
TINY_HEAD = dict(num_convs=2, conv_out_channels=16)


@pytest.fixture(params=CONFIGS, ids=lambda path: path.stem)
def path(request):
    init_default_scope('mmdet')
    return request.param


@pytest.fixture(params=CONFIGS + LAPTOP, ids=lambda path: path.stem)
def any_path(request):
    return request.param


def test_there_are_four_rows_for_each_backbone():
    assert len(CONFIGS) == 8
    assert len(LAPTOP) == 4


def test_name_says_what_the_config_is(any_path):
    path = any_path
    name = NAME.fullmatch(path.stem)
    assert name, 'the name does not follow the scheme'
    config = read_config(path)
    assert config.custom_imports.imports == ['ogn_mm']
    backbone = config.model.backbone
    if path in LAPTOP:
        assert (backbone.depth, backbone.base_channels) == (18, 32)
    else:
        assert backbone.depth == int(name['depth'])
        assert backbone.init_cfg.checkpoint.endswith(name['depth'])
    roi_head = config.model.roi_head
    offset = name['algorithm'] == 'ogn'
    head = roi_head.keypoint_head
    assert head.type == ('OffsetKeypointHead' if offset else 'OneHotKeypointHead')
    score_loss = head.get('score_loss', 'smooth_l1') if offset else None
    assert (score_loss == 'softmax') == bool(name['softmax'])
    assert head.get('loss_weight', 1) == (10 if score_loss == 'smooth_l1' else 1)
    size = (22, 16) if name['ratio'] else 14
    if path in LAPTOP:
        size = (11, 8) if name['ratio'] else 7
    extractor = roi_head.keypoint_roi_extractor
    assert extractor.roi_layer.output_size == size
    assert extractor.get('finest_scale', 56) == (75 if name['ratio'] else 56)
    assert roi_head.get('ratio') == (256 / 352 if name['ratio'] else None)
    assert config.train_dataloader.batch_size == int(name['batch'])
    batch = int(name['gpus']) * int(name['batch'])
    assert config.auto_scale_lr.base_batch_size == batch
    assert config.train_cfg.max_epochs == (1 if path in LAPTOP else 12)
    assert config.default_hooks.checkpoint.type == 'mmpose.ResumableCheckpointHook'
    assert config.default_hooks.checkpoint.save_best == 'coco/AP'


def test_rows_differ_in_their_switches_alone(any_path):
    """The rest of the keypoint head, its size and its channels, is the same as well.

    The weight of the loss goes with its kind, the levels of the pyramid with the ROIs.
    """
    base = LAPTOP_RECIPE if any_path in LAPTOP else RECIPE
    config, recipe = (read_config(path).to_dict() for path in (any_path, base))
    for own in (config, recipe):
        roi_head, backbone = own['model']['roi_head'], own['model']['backbone']
        roi_head.pop('ratio', None)
        roi_head['keypoint_roi_extractor'].pop('finest_scale', None)
        roi_head['keypoint_roi_extractor']['roi_layer'].pop('output_size')
        for switch in ('type', 'score_loss', 'loss_weight', 'roi_feat_size'):
            roi_head['keypoint_head'].pop(switch, None)
        for part in ('depth', 'init_cfg'):
            backbone.pop(part)
    assert config == recipe


def test_torchvisions_network_has_the_same_recipe():
    for base in (RECIPE, LAPTOP_RECIPE):
        peer = base.with_name(base.name.replace('kpt-mask-rcnn', 'tv-kpt-rcnn'))
        config, recipe = (read_config(path).to_dict() for path in (peer, base))
        model, baseline = config.pop('model'), recipe.pop('model')
        assert config == recipe
        assert model['initialize_as'] == baseline
        assert model['data_preprocessor'] == baseline['data_preprocessor']


@pytest.mark.slow
def test_full_size_model_builds_and_gives_maps(path):
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
    [path for path in CONFIGS if '_r50_' in path.stem],
    ids=lambda path: path.stem,
)
def test_recipe_trains_and_validates(path, generated_people, tmp_path):
    """Two iterations change the keypoint head; boxes and keypoints are evaluated."""
    runner = OGNRunner.from_cfg(small_recipe(path, generated_people, tmp_path))
    runner.model.init_weights()
    before = runner.model.roi_head.keypoint_head.deconv.weight.clone()
    runner.train()
    assert runner.iter == 2
    after = runner.model.roi_head.keypoint_head.deconv.weight
    assert torch.isfinite(after).all() and not torch.equal(before, after)
    for name in ('bbox_mAP', 'AP'):
        assert 0 <= runner.message_hub.get_scalar(f'val/coco/{name}').current() <= 1
    assert list(tmp_path.glob('best_coco_AP_iter_2.pth'))
