"""Person detectors: names, weights of the model zoo, training and testing."""

import inspect
import json
import re
from pathlib import Path

import mmengine
import pytest
import torch
from mmdet.engine.hooks import DetVisualizationHook
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from tiny_detector import load_tiny, read_config

from ogn_mm.engine.launch import OGNRunner, build_parser, load_config

FOLDER = Path(__file__).parents[1] / 'configs/person_detector'
CONFIGS = sorted(FOLDER.glob('*.py'))
RECIPES = [path for path in CONFIGS if not path.stem.endswith(('-gbg', '-raw'))]
ON_COCO = [path for path in CONFIGS if 'coco' in path.name]
NAME = re.compile(
    r'(?P<algorithm>(cascade-)?(mask-|faster-)?rcnn)_(?P<backbone>[\w-]+?)_fpn'
    r'_((?P<gpus>\d+)xb(?P<batch>\d+)-(?P<epochs>\d+)e|(ms-(poly-)?)?(?P<times>\d)x)'
    r'_(coco-person|generated-crowds-(?P<height>\d+)x(?P<width>\d+))(-(gbg|raw))?'
)
UPSTREAM = {
    'faster-rcnn_r50_fpn_1x_coco': 'faster_rcnn/faster-rcnn_r50_fpn_1x_coco',
    'mask-rcnn_r50_fpn_ms-poly-3x_coco': 'mask_rcnn/mask-rcnn_r50_fpn_ms-poly-3x_coco',
    'mask-rcnn_x101-64x4d_fpn_ms-poly-3x_coco': (
        'mask_rcnn/mask-rcnn_x101-64x4d_fpn_ms-poly_3x_coco'
    ),
    'cascade-mask-rcnn_x101-64x4d_fpn_ms-3x_coco': (
        'cascade_rcnn/cascade-mask-rcnn_x101-64x4d_fpn_ms-3x_coco'
    ),
}


def inherit(upstream: str, folder) -> Path:
    """A file that is MMDetection's config."""
    path = folder / f'{Path(upstream).name}.py'
    path.write_text(f'_base_ = "mmdet::{upstream}.py"\n')
    return path


@pytest.fixture(scope='module')
def zoo(tmp_path_factory):
    """By recipe, the weights of MMDetection's own model, made thin."""
    init_default_scope('mmdet')
    folder = tmp_path_factory.mktemp('zoo')
    return {
        name: MODELS.build(load_tiny(inherit(upstream, folder)).model).state_dict()
        for name, upstream in UPSTREAM.items()
    }


@pytest.fixture
def people(generated_people, tmp_path):
    """Generated people whose boxes serve as masks; as data set options by split."""
    options = {}
    for split in ('train', 'val'):
        path = generated_people / f'annotations/{split}.json'
        content = json.loads(path.read_text())
        for person in content['annotations']:
            x, y, w, h = person['bbox']
            person['segmentation'] = [[x, y, x + w, y, x + w, y + h, x, y + h]]
        ann_file = tmp_path / f'{split}.json'
        ann_file.write_text(json.dumps(content))
        images = str(generated_people / 'images' / split)
        options[split] = dict(
            data_root='', ann_file=str(ann_file), data_prefix=dict(img=images)
        )
    return options


def on_generated_people(path, people, folder) -> Config:
    """A tiny detector that trains and tests on 4 generated images."""
    config = load_tiny(path)
    config.work_dir = str(folder / 'work_dir')
    for split in ('train', 'val', 'test'):
        loader = config[f'{split}_dataloader']
        loader.update(num_workers=0, persistent_workers=False)
        dataset = loader.dataset
        dataset = dataset.dataset if dataset.type == 'RepeatDataset' else dataset
        dataset.update(people['train' if split == 'train' else 'val'], indices=4)
        if split != 'train':
            config[f'{split}_evaluator'].ann_file = dataset.ann_file
        for step in dataset.pipeline:
            if step.type in ('Resize', 'RandomResize', 'RandomChoiceResize'):
                step.clear()
                step.update(type='Resize', scale=(160, 120), keep_ratio=True)
    config.model.test_cfg.rcnn.score_thr = 0.0  # untrained scores are low
    config.train_cfg = dict(type='IterBasedTrainLoop', max_iters=2, val_interval=2)
    config.train_dataloader.batch_size = 2
    config.train_dataloader.sampler.type = 'InfiniteSampler'
    config.param_scheduler = []
    config.default_hooks.checkpoint.update(by_epoch=False, interval=2)
    return config


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_name_says_what_the_config_is(path):
    name = NAME.fullmatch(path.stem)
    assert name, 'the name does not follow the scheme'
    config = read_config(path)
    assert config.default_scope == 'mmdet'
    assert config.custom_imports.imports == ['ogn_mm']
    assert config.default_hooks.checkpoint.type == 'mmpose.ResumableCheckpointHook'
    masks = 'mask' in name['algorithm'] and path in RECIPES
    assert bool(config.model.roi_head.get('mask_head')) == masks
    heads = config.model.roi_head.bbox_head
    assert isinstance(heads, list) == name['algorithm'].startswith('cascade')
    last = heads[-1] if isinstance(heads, list) else heads
    assert last.type == 'PersonBBoxHead'
    assert config.test_dataloader.dataset.metainfo.classes == ('person',)
    assert config.test_evaluator == config.val_evaluator
    if name['batch']:
        batch = int(name['gpus']) * int(name['batch'])
        assert config.train_dataloader.batch_size == int(name['batch'])
        assert config.auto_scale_lr.base_batch_size == batch
        assert config.train_cfg.max_epochs == int(name['epochs'])
        resize = config.test_dataloader.dataset.pipeline[1]
        assert resize.scale == (int(name['width']), int(name['height']))
    else:
        repeats = config.train_dataloader.dataset.get('times', 1)
        assert config.train_cfg.max_epochs * repeats == 12 * int(name['times'])


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_variants_change_the_choice_of_boxes_alone(path):
    rpn, rcnn = (read_config(path).model.test_cfg[k] for k in ('rpn', 'rcnn'))
    if path in RECIPES:
        assert rpn.nms and rcnn.nms and 'box_filter' not in rcnn
        return
    assert rpn.nms is None and rpn.max_per_img >= 10000 and rcnn.max_per_img == -1
    if path.stem.endswith('-gbg'):
        assert rcnn.box_filter.type == 'GreedyBoxGeneration'
    else:
        assert rcnn.nms is None and 'box_filter' not in rcnn


@pytest.mark.parametrize('path', ON_COCO, ids=lambda path: path.stem)
def test_weights_of_the_model_zoo_load(path, zoo):
    """Nothing is missing; unexpected are the masks, where they are switched off."""
    init_default_scope('mmdet')
    weights = zoo[path.stem.partition('-person')[0]]
    model = MODELS.build(load_tiny(path).model)
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert missing == []
    masks = [key for key in weights if 'mask_head' in key]
    assert unexpected == ([] if path in RECIPES else masks)


def test_pictures_are_drawn_where_asked():
    """--show-dir speaks the language of MMDetection's hook."""
    arguments = [str(RECIPES[0]), '--show-dir', 'drawn', '--interval', '3']
    args = build_parser('').parse_args(arguments)
    hook = load_config(args).default_hooks.visualization
    assert hook.pop('type') == 'DetVisualizationHook'
    assert hook.draw and hook.test_out_dir == 'drawn' and hook.interval == 3
    known = inspect.signature(DetVisualizationHook).parameters.keys()
    assert hook.keys() - {'_scope_'} <= known


@pytest.mark.slow
@pytest.mark.parametrize('name', sorted(UPSTREAM))
def test_full_size_weights_load(name, tmp_path):
    """The same at full size: names and shapes."""
    init_default_scope('mmdet')
    models = []
    for path in (inherit(UPSTREAM[name], tmp_path), FOLDER / f'{name}-person.py'):
        config = Config.fromfile(path)
        config.model.backbone.init_cfg = None
        models.append(MODELS.build(config.model))
    upstream, ours = (model.state_dict() for model in models)
    assert upstream.keys() == ours.keys()
    assert all(ours[key].shape == weight.shape for key, weight in upstream.items())


@pytest.mark.slow
@pytest.mark.parametrize('path', RECIPES, ids=lambda path: path.stem)
def test_recipe_trains_and_validates(path, people, tmp_path):
    """Two iterations change the box head; people alone are evaluated."""
    runner = OGNRunner.from_cfg(on_generated_people(path, people, tmp_path))
    runner.model.init_weights()
    head = runner.model.roi_head.bbox_head
    head = head[-1] if isinstance(head, torch.nn.ModuleList) else head
    before = head.fc_cls.weight.clone()
    runner.train()
    assert runner.iter == 2
    assert torch.isfinite(head.fc_cls.weight).all()
    assert not torch.equal(before, head.fc_cls.weight)
    assert 0 <= runner.message_hub.get_scalar('val/coco/bbox_mAP').current() <= 1
    assert list((tmp_path / 'work_dir').glob('iter_2.pth'))


@pytest.mark.slow
@pytest.mark.parametrize(
    'path', [p for p in CONFIGS if p not in RECIPES], ids=lambda path: path.stem
)
def test_variant_tests(path, people, tmp_path):
    """All boxes without suppression, hundreds of them; GBG keeps some of these."""
    config = on_generated_people(path, people, tmp_path)
    filtered = config.model.test_cfg.rcnn.get('box_filter')
    if filtered:
        filtered.egt_score_thr = 0.0
    config.test_evaluator = [
        config.test_evaluator,
        dict(type='DumpResults', out_file_path=str(tmp_path / 'found.pkl')),
    ]
    runner = OGNRunner.from_cfg(config)
    runner.model.init_weights()
    runner.test()
    for sample in mmengine.load(tmp_path / 'found.pkl'):
        found = sample['pred_instances']
        assert not found['labels'].any()
        assert len(found['scores']) > (0 if filtered else 500)


@pytest.mark.slow
def test_resumed_training_repeats_the_uninterrupted_one(people, tmp_path):
    """The laptop's detector, two epochs at once or one after the other."""
    (path,) = [path for path in RECIPES if 'generated' in path.name]
    weights = []
    for name, epochs in (('straight', [2]), ('resumed', [1, 2])):
        for last in epochs:
            config = on_generated_people(path, people, tmp_path / name)
            config.train_dataloader.sampler.type = 'DefaultSampler'
            config.train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=last)
            config.train_cfg.val_interval = 9
            config.default_hooks.checkpoint.update(by_epoch=True, interval=1)
            config.resume = last == 2 and len(epochs) == 2
            runner = OGNRunner.from_cfg(config)
            runner.train()
        assert runner.iter == 4
        weights.append(runner.model.state_dict())
    straight, resumed = weights
    assert all(torch.equal(straight[key], resumed[key]) for key in straight)
