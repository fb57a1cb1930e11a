"""Every config: its name says what it is, its parts fit, its model builds."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.registry import init_default_scope
from mmpose.registry import KEYPOINT_CODECS, MODELS, TRANSFORMS

import ogn_mm  # noqa: F401
from ogn_mm.engine.launch import OGNRunner

ROOT = Path(__file__).parents[1]
CONFIGS = sorted(
    path for path in (ROOT / 'configs').rglob('*.py') if 'td-' in path.name
)
STUDIES = [  # of trackers: test_run_tracking_study.py
    path
    for path in sorted((ROOT / 'configs').glob('*/*.py'))
    if path.match('studies/*') or path.stem == 'study'
    if not path.stem.startswith('tracking')
]
NAME = re.compile(
    r'td-(?P<algorithm>ogn|hm)_(?P<backbone>[\w-]+?)(-(?P<deconvs>\d)deconv)?'
    r'_(?P<udp>udp-)?(?P<gpus>\d+)xb(?P<batch>\d+)-(?P<epochs>\d+)e'
    r'_(?P<data>\w+)-(?P<height>\d+)x(?P<width>\d+)(-(?P<boxes>gbg))?'
    r'(_test-dev|_from-td-hm)?'
)

PAPERS_RECIPE = r'td-ogn_.*_8xb8-22e_coco-\d+x\d+(-gbg)?'


@pytest.fixture(params=CONFIGS, ids=lambda path: path.stem)
def named_config(request):
    init_default_scope('mmpose')
    return NAME.fullmatch(request.param.stem), Config.fromfile(request.param)


def training_set(config):
    """The config of the training set proper, and how many people an item has."""
    dataset = config.train_dataloader.dataset
    if dataset.type == 'ImageROIDataset':
        return dataset.dataset, dataset.rois_per_image
    return dataset, 1


def without_pretraining(model):
    """The model's config, to be built without a download."""
    model.backbone.init_cfg = None
    return model


def test_there_are_configs():
    assert len(CONFIGS) >= 20 and len(STUDIES) >= 4


def test_name_says_what_the_config_is(named_config):
    name, config = named_config
    assert name, 'the name does not follow the scheme'
    head = config.model.head
    assert head.type == dict(ogn='OffsetHead', hm='HeatmapHead')[name['algorithm']]
    if name['deconvs']:
        assert len(head.deconv_out_channels) == int(name['deconvs'])
    dataset, rois = training_set(config)
    loader = config.train_dataloader
    assert loader.batch_size * rois == int(name['batch'])
    # counted as the loader counts
    items = int(name['gpus']) * loader.batch_size
    assert config.auto_scale_lr.base_batch_size == items
    assert loader.sampler.get('batch_size', loader.batch_size) == loader.batch_size
    assert config.train_cfg.max_epochs == int(name['epochs'])
    assert name['data'] in config.test_dataloader.dataset.data_root
    assert head.decoder.input_size == (int(name['width']), int(name['height']))
    chosen = config.test_dataloader.dataset.get('bbox_filter') or {}
    assert ('GreedyBoxGeneration' in chosen.get('type', '')) == bool(name['boxes'])
    for scheduler in config.param_scheduler:
        if scheduler.by_epoch:
            assert scheduler.end == config.train_cfg.max_epochs
            assert max(scheduler.milestones) < config.train_cfg.max_epochs


def test_parts_fit_and_model_builds(named_config):
    """One forward pass gives maps of the codec's size; the pipelines agree."""
    name, config = named_config
    decoder = config.model.head.decoder
    datasets = dict(
        train=training_set(config)[0],
        val=config.val_dataloader.dataset,
        test=config.test_dataloader.dataset,
    )
    pipelines = {
        split: {step.type: step for step in dataset.pipeline}
        for split, dataset in datasets.items()
    }
    assert pipelines['train']['GenerateTarget'].encoder == decoder
    for pipeline in pipelines.values():
        affine = pipeline['TopdownAffine']
        assert affine.input_size == decoder.input_size
        assert affine.get('use_udp', False) == bool(name['udp'])
    for pipeline in pipelines.values():
        for step in pipeline.values():
            TRANSFORMS.build(step)
    assert config.test_evaluator.type == config.val_evaluator.type

    model = MODELS.build(without_pretraining(config.model)).eval()
    width, height = decoder.input_size
    with torch.no_grad():
        maps = model.head(model.extract_feat(torch.zeros(1, 3, height, width)))
    codec = KEYPOINT_CODECS.build(decoder)
    keypoints = dict(crowdpose=14, animalpose=20).get(name['data'], 17)
    channels = keypoints * (3 if name['algorithm'] == 'ogn' else 1)
    assert maps.shape == (1, channels, *codec.heatmap_size[::-1])


@pytest.mark.parametrize('epochs, height, width', [(100, 256, 192), (30, 128, 96)])
@pytest.mark.parametrize('head', ['simcc', 'rtmcc'])
def test_rivals_on_one_axis_build(head, epochs, height, width):
    """Targets in the pipeline have the shapes that the network predicts."""
    name = f'{head}_res18_1xb32-{epochs}e_people1k-{height}x{width}.py'
    config = Config.fromfile(ROOT / 'configs/ogn_topdown' / name)
    model = MODELS.build(config.model).eval()
    with torch.no_grad():
        maps = model.head(model.extract_feat(torch.zeros(2, 3, height, width)))
    (target,) = (
        step.encoder
        for step in config.train_dataloader.dataset.pipeline
        if step.type == 'GenerateTarget'
    )
    assert target == config.model.head.decoder
    encoded = KEYPOINT_CODECS.build(target).encode(np.full((1, 17, 2), 50.0))
    for axis, predicted in zip('xy', maps, strict=True):
        assert predicted.shape == (2, *encoded[f'keypoint_{axis}_labels'].shape[1:])


@pytest.mark.parametrize('path', STUDIES, ids=lambda path: path.stem)
def test_each_row_of_a_study_trains_and_decodes_one_codec(path, monkeypatch):
    """Options reach the codec everywhere, and rows differ from each other."""
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(str(ROOT / 'tools'))
    from study.plan import load_study, plan_runs

    study = load_study(path)
    runs = plan_runs(study, [0], path.parent)
    assert len({run.text for run in runs}) == len(runs) > 1
    for row, run in zip(study['rows'], runs, strict=True):
        config = Config.fromstring(run.text, '.py')
        if config.get('default_scope') != 'mmpose':  # a detector has no codec
            continue
        decoder = config.model.head.decoder
        for option, value in row.get('cfg_options', {}).items():
            owner, _, name = option.rpartition('.')
            if owner == 'codec':
                assert decoder[name] == value
        encoders = [
            step.encoder
            for step in training_set(config)[0].pipeline
            if step.type == 'GenerateTarget'
        ]
        decoder.pop('vote_radius', None)  # which encoding does not know
        assert encoders == [decoder]


def halved(node):
    """A config with inputs and maps of half the size, where stride 32 divides that."""
    if isinstance(node, (list, tuple)):
        return type(node)(map(halved, node))
    if not isinstance(node, dict):
        return node
    if 'heatmap_size' in node or 'input_size' in node:
        sizes = {
            key: node[key] for key in ('input_size', 'heatmap_size') if key in node
        }
        if all(size % 64 == 0 for size in node['input_size']):
            sizes = {key: tuple(s // 2 for s in size) for key, size in sizes.items()}
        node = {**node, **sizes}
    return {
        key: value if key in ('input_size', 'heatmap_size') else halved(value)
        for key, value in node.items()
    }


def train_briefly(config, data, folder):
    """Two iterations at batch 2 on generated people; returns the Runner."""
    without_pretraining(config.model)
    dataset, rois = training_set(config)
    loader = config.train_dataloader
    loader.update(batch_size=2 // rois or 1, num_workers=0, persistent_workers=False)
    if rois > 1:
        loader.sampler.batch_size = 1
        loader.dataset.rois_per_image = 2
    dataset.update(
        data_root=str(data),
        ann_file='annotations/train.json',
        data_prefix=dict(img='images/train/'),
    )
    config.work_dir = str(folder)
    config.train_cfg = dict(by_epoch=False, max_iters=2, val_interval=2)
    config.param_scheduler = []
    config.default_hooks.checkpoint = None
    runner = OGNRunner.from_cfg(config)
    runner.model.init_weights()
    before = runner.model.head.offset_layer.weight.clone()
    runner.train()
    assert runner.iter == 2
    after = runner.model.head.offset_layer.weight
    assert torch.isfinite(after).all() and not torch.equal(before, after)
    return runner


def without_validation(config):
    for split in ('val', 'test'):
        for part in ('cfg', 'dataloader', 'evaluator'):
            config[f'{split}_{part}'] = None


@pytest.mark.slow
@pytest.mark.parametrize('backbone', ['hrnet-w32', 'ViTPose-small'])
def test_any_backbone_trains(backbone, generated_people, tmp_path):
    path = ROOT / f'configs/ogn_topdown/td-ogn_{backbone}_8xb64-210e_coco-256x192.py'
    config = Config.fromfile(path)
    without_validation(config)
    train_briefly(config, generated_people, tmp_path)


@pytest.fixture(scope='module')
def detection_files(generated_people, tmp_path_factory):
    """For each split, three boxes of every person, as a detector might find them."""
    folder = tmp_path_factory.mktemp('detections')
    for split in ('train', 'val'):
        coco = json.loads((generated_people / f'annotations/{split}.json').read_text())
        found = []
        for person in coco['annotations']:
            x, y, width, height = person['bbox']
            for shift, score in ((0, 0.9), (0.04, 0.85), (-0.08, 0.3)):
                box = [x + shift * width, y + shift * height, width, height]
                found.append(
                    dict(
                        image_id=person['image_id'],
                        category_id=1,
                        bbox=box,
                        score=score,
                    )
                )
        (folder / f'{split}.json').write_text(json.dumps(found))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    'path',
    [path for path in CONFIGS if re.fullmatch(PAPERS_RECIPE, path.stem)],
    ids=lambda path: path.stem,
)
def test_the_papers_recipe_runs(path, generated_people, detection_files, tmp_path):
    """Mixed boxes and ROI sampling train; detected boxes are filtered and tested."""
    config = Config(halved(Config.fromfile(path).to_dict()))
    training_set(config)[0].detection_file = str(detection_files / 'train.json')
    loader = config.val_dataloader
    loader.update(num_workers=0, persistent_workers=False)
    loader.dataset.update(
        data_root=str(generated_people),
        ann_file='annotations/val.json',
        bbox_file=str(detection_files / 'val.json'),
        data_prefix=dict(img='images/val/'),
    )
    config.val_evaluator.ann_file = str(generated_people / 'annotations/val.json')
    runner = train_briefly(config, generated_people, tmp_path)
    people = len(json.loads((detection_files / 'val.json').read_text())) // 3
    # GBG keeps all three boxes of a person, NMS the best one
    boxes = 3 * people if path.stem.endswith('gbg') else people
    assert len(runner.val_dataloader.dataset) == boxes
    assert runner.message_hub.get_scalar('val/coco/AP').current() >= 0


@pytest.mark.slow
def test_poses_for_the_evaluation_server(generated_people, detection_files, tmp_path):
    """Without annotations: a file of COCO's four fields for each pose."""
    name = 'td-ogn_res152-2deconv_8xb8-22e_coco-512x384-gbg_test-dev.py'
    config = Config.fromfile(ROOT / 'configs/ogn_topdown' / name)
    config = Config(halved(config.to_dict()))
    without_pretraining(config.model)
    coco = json.loads((generated_people / 'annotations/val.json').read_text())
    found = json.loads((detection_files / 'val.json').read_text())
    image = coco['images'][0]
    del coco['annotations'], coco['images'][1:]
    (tmp_path / 'info.json').write_text(json.dumps(coco))
    found = [box for box in found if box['image_id'] == image['id']]
    (tmp_path / 'found.json').write_text(json.dumps(found))

    loader = config.test_dataloader
    loader.update(num_workers=0, persistent_workers=False)
    loader.dataset.update(
        data_root='',
        ann_file=str(tmp_path / 'info.json'),
        bbox_file=str(tmp_path / 'found.json'),
        data_prefix=dict(img=str(generated_people / 'images/val')),
    )
    config.test_evaluator.ann_file = str(tmp_path / 'info.json')
    config.test_evaluator.outfile_prefix = str(tmp_path / 'poses')
    config.work_dir = str(tmp_path)
    OGNRunner.from_cfg(config).test()
    poses = json.loads((tmp_path / 'poses.keypoints.json').read_text())
    assert poses
    for pose in poses:
        assert set(pose) == {'image_id', 'category_id', 'keypoints', 'score'}
        assert pose['image_id'] == image['id'] and pose['category_id'] == 1
        assert len(pose['keypoints']) == 51


@pytest.mark.slow
def test_another_skeleton_trains(generated_animals, tmp_path):
    """Mirror images and sigmas are those of the skeleton's own file."""
    path = 'configs/ogn_topdown/td-ogn_res18-2deconv_1xb32-100e_animalpose-256x256.py'
    config = Config(halved(Config.fromfile(ROOT / path).to_dict()))
    loader = config.val_dataloader
    loader.update(num_workers=0, persistent_workers=False)
    loader.dataset.update(
        data_root=str(generated_animals),
        ann_file='annotations/val.json',
        data_prefix=dict(img='images/val/'),
    )
    config.val_evaluator.ann_file = str(generated_animals / 'annotations/val.json')
    runner = train_briefly(config, generated_animals, tmp_path / 'work')

    skeleton = get_config('mmpose::_base_/datasets/animalpose.py').dataset_info
    names = [skeleton.keypoint_info[i].name for i in range(20)]
    sides = dict(L='R', R='L')
    mirrored = [sides.get(name[0], name[0]) + name[1:] for name in names]
    metainfo = runner.train_dataloader.dataset.metainfo
    assert metainfo['flip_indices'] == [
        names.index(twin if twin in names else name)
        for name, twin in zip(names, mirrored, strict=True)
    ]
    (metric,) = runner.val_evaluator.metrics
    assert list(metric.dataset_meta['sigmas']) == pytest.approx(skeleton.sigmas)
    assert runner.message_hub.get_scalar('val/coco/AP').current() >= 0
