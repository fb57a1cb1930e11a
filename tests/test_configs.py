"""Every config: its name says what it is, its parts fit, its model builds."""

import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.registry import KEYPOINT_CODECS, MODELS, TRANSFORMS

import ogn_mm  # noqa: F401

ROOT = Path(__file__).parents[1]
CONFIGS = sorted(
    path for path in (ROOT / 'configs').rglob('*.py') if 'td-' in path.name
)
STUDIES = [
    path
    for path in sorted((ROOT / 'configs').rglob('*.py'))
    if 'rows' in path.read_text()
]
NAME = re.compile(
    r'td-(?P<algorithm>ogn|hm)_(?P<backbone>[\w-]+?)(-(?P<deconvs>\d)deconv)?'
    r'_(?P<gpus>\d+)xb(?P<batch>\d+)-(?P<epochs>\d+)e'
    r'_(?P<data>\w+)-(?P<height>\d+)x(?P<width>\d+)'
)


@pytest.fixture(params=CONFIGS, ids=lambda path: path.stem)
def named_config(request):
    init_default_scope('mmpose')
    return NAME.fullmatch(request.param.stem), Config.fromfile(request.param)


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
    assert config.train_dataloader.batch_size == int(name['batch'])
    batch = int(name['gpus']) * int(name['batch'])
    assert config.auto_scale_lr.base_batch_size == batch
    assert config.train_cfg.max_epochs == int(name['epochs'])
    assert name['data'] in config.train_dataloader.dataset.data_root
    assert head.decoder.input_size == (int(name['width']), int(name['height']))
    for scheduler in config.param_scheduler:
        if scheduler.by_epoch:
            assert scheduler.end == config.train_cfg.max_epochs
            assert max(scheduler.milestones) < config.train_cfg.max_epochs


def test_parts_fit_and_model_builds(named_config):
    """One forward pass gives maps of the codec's size; the pipelines agree."""
    name, config = named_config
    decoder = config.model.head.decoder
    pipelines = {
        split: {
            step.type: step for step in config[f'{split}_dataloader'].dataset.pipeline
        }
        for split in ('train', 'val', 'test')
    }
    assert pipelines['train']['GenerateTarget'].encoder == decoder
    for pipeline in pipelines.values():
        affine = pipeline['TopdownAffine']
        assert affine.input_size == decoder.input_size
        assert not (name['algorithm'] == 'ogn' and affine.get('use_udp', False))
    for pipeline in pipelines.values():
        for step in pipeline.values():
            TRANSFORMS.build(step)
    assert config.test_evaluator == config.val_evaluator

    model = MODELS.build(without_pretraining(config.model)).eval()
    width, height = decoder.input_size
    with torch.no_grad():
        maps = model.head(model.extract_feat(torch.zeros(1, 3, height, width)))
    codec = KEYPOINT_CODECS.build(decoder)
    channels = 17 * (3 if name['algorithm'] == 'ogn' else 1)
    assert maps.shape == (1, channels, *codec.heatmap_size[::-1])


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
        decoder = config.model.head.decoder
        for option, value in row.get('cfg_options', {}).items():
            owner, _, name = option.rpartition('.')
            if owner == 'codec':
                assert decoder[name] == value
        encoders = [
            step.encoder
            for step in config.train_dataloader.dataset.pipeline
            if step.type == 'GenerateTarget'
        ]
        assert encoders == [decoder]


@pytest.mark.slow
@pytest.mark.parametrize(
    'name',
    [
        'td-ogn_hrnet-w32_8xb64-210e_coco-256x192',
        'td-ogn_ViTPose-small_8xb64-210e_coco-256x192',
        'td-ogn_res50-2deconv_8xb8-22e_coco-256x192',
    ],
)
def test_two_iterations_change_the_head(name, generated_people, tmp_path):
    """Any backbone trains: two iterations at batch 2 on generated people."""
    config = Config.fromfile(ROOT / f'configs/ogn_topdown/{name}.py')
    without_pretraining(config.model)
    loader = config.train_dataloader
    loader.update(batch_size=2, num_workers=0, persistent_workers=False)
    loader.dataset.update(
        data_root=str(generated_people),
        ann_file='annotations/train.json',
        data_prefix=dict(img='images/train/'),
        indices=4,
    )
    config.update(
        work_dir=str(tmp_path),
        val_cfg=None,
        val_dataloader=None,
        val_evaluator=None,
        test_cfg=None,
        test_dataloader=None,
        test_evaluator=None,
    )
    config.train_cfg.update(max_epochs=1)
    config.default_hooks.checkpoint = None
    runner = Runner.from_cfg(config)
    runner.model.init_weights()
    before = runner.model.head.offset_layer.weight.clone()
    runner.train()
    assert runner.iter == 2
    after = runner.model.head.offset_layer.weight
    assert torch.isfinite(after).all() and not torch.equal(before, after)
