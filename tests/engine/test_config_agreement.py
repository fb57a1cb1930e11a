"""A config that says one thing trains that thing, or is refused before it is built."""

import json
from pathlib import Path

import mmpose
import pytest
from mmengine.config import Config

from ogn_mm.engine.config_agreement import check_agreement, check_variables
from ogn_mm.engine.config_check import read_config

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / 'configs/ogn_topdown'
DEMO = ROOT / 'configs/demo/td-ogn_res18-1deconv_1xb32-16e_generated-128x96.py'
GBG = RECIPES / 'td-ogn_res50-1deconv_8xb8-22e_coco-256x192.py'
TWO_STAGES = RECIPES / 'td-ogn_res18-1deconv_1xb32-8e_crowds-128x96.py'


@pytest.fixture
def child(tmp_path):
    """Writes a config that inherits from another one, and gives its path."""

    def write(text, base=DEMO, name='child'):
        path = tmp_path / f'{name}.py'
        path.write_text(f'_base_ = {str(base)!r}\n{text}\n')
        return str(path)

    return write


@pytest.mark.parametrize(
    'text, first, second',
    [
        ('codec = dict(radius=2.0)', 'codec.radius', 'model.head.decoder.radius'),
        (
            'codec = dict(vote_radius=3)',
            'codec.vote_radius',
            'model.head.decoder.vote_radius',
        ),
        (
            'codec = dict(vote_radius=3)\n'
            'train_pipeline = _base_.train_pipeline\n'
            'train_pipeline[-2].encoder = dict(_base_.codec, **codec)\n'
            'train_dataloader = dict(dataset=dict(pipeline=train_pipeline))',
            'codec',
            'model.head.decoder',
        ),
        (
            'model = dict(head=dict(decoder=dict(radius=2.0)))',
            'codec.radius',
            'model.head.decoder.radius',
        ),
        (
            'train_pipeline = _base_.train_pipeline\n'
            'train_pipeline[-2].encoder.radius = 2.0\n'
            'train_dataloader = dict(dataset=dict(pipeline=train_pipeline))',
            'codec.radius',
            r'train_dataloader.dataset.pipeline.6.encoder.radius',
        ),
        (
            'codec = dict(input_size=(192, 256), heatmap_size=(12, 16))\n'
            'model = dict(head=dict(decoder=codec))\n'
            'train_pipeline = _base_.train_pipeline\n'
            'train_pipeline[-2].encoder = dict(_base_.codec, **codec)\n'
            'train_dataloader = dict(dataset=dict(pipeline=train_pipeline))',
            'model.head.decoder.input_size',
            'train_dataloader.dataset.pipeline.5.input_size',
        ),
    ],
)
def test_a_codec_that_is_not_used_is_refused(child, text, first, second):
    with pytest.raises(ValueError, match=f'{first}` .*`{second}`'):
        read_config(child(text))


def test_another_kind_of_codec_is_refused(child):
    sigma = "dict(_delete_=True, type='{}', sigma=2, input_size=(96, 128), {})"
    text = 'codec = ' + sigma.format('MSRAHeatmap', 'heatmap_size=(6, 8)')
    with pytest.raises(ValueError, match='`codec` is MSRAHeatmap, but .* OffsetHeat'):
        read_config(child(text))


def test_decoding_may_be_set_by_itself(child):
    option = {'model.head.decoder.vote_radius': 3.0}
    assert read_config(str(DEMO), option).model.head.decoder.vote_radius == 3.0
    read_config(child('model = dict(head=dict(decoder=dict(vote_radius=3.0)))'))


def test_without_the_variable_decoder_and_encoder_share_their_geometry(child):
    cfg = Config.fromfile(DEMO)
    cfg.pop('codec')
    check_agreement(cfg)
    cfg.model.head.decoder.vote_radius = 2.0  # decoding alone
    check_agreement(cfg)
    cfg.model.head.decoder.sigma = 0.8
    check_agreement(cfg)
    for key, value in (('radius', 1.5), ('heatmap_size', (12, 16))):
        other = Config(cfg.to_dict())
        other.model.head.decoder[key] = value
        with pytest.raises(ValueError, match=rf'decoder\.{key}` .*encoder\.{key}`'):
            check_agreement(other)


def test_a_loader_and_its_sampler_have_one_batch_size():
    options = {'train_dataloader.batch_size': 4}
    with pytest.raises(
        ValueError, match='batch_size` is 4, .*sampler.batch_size` is 8'
    ):
        read_config(str(TWO_STAGES), options)
    read_config(str(TWO_STAGES), options, {'train_dataloader.sampler.batch_size': 4})


def test_sizes_of_a_head_are_the_codecs():
    cfg = Config.fromfile(RECIPES / 'simcc_res18_1xb32-30e_people1k-128x96.py')
    check_agreement(cfg)
    cfg.model.head.input_size = (192, 256)
    with pytest.raises(ValueError, match=r'decoder\.input_size` .*head\.input_size`'):
        check_agreement(cfg)


def test_the_command_line_reaches_all_places():
    cfg = read_config(str(DEMO), {'codec.radius': 2.0, 'codec.sigma': 0.5})
    encoder = cfg.train_dataloader.dataset.pipeline[6].encoder
    for codec in (cfg.codec, cfg.model.head.decoder, encoder):
        assert (codec.radius, codec.sigma) == (2.0, 0.5)


def test_a_child_that_sets_every_place_is_fine(child):
    text = (
        'codec = dict(radius=2.0)\n'
        'model = dict(head=dict(decoder=codec))\n'
        'train_pipeline = _base_.train_pipeline\n'
        'train_pipeline[-2].encoder = dict(_base_.codec, **codec)\n'
        'train_dataloader = dict(dataset=dict(pipeline=train_pipeline))'
    )
    assert read_config(child(text)).model.head.decoder.radius == 2.0


@pytest.mark.parametrize(
    'base, text, place',
    [
        (DEMO, "data_root = 'data/mine/'", 'train_dataloader.dataset.data_root'),
        (
            DEMO,
            "train_pipeline = [dict(type='LoadImage')]",
            'train_dataloader.dataset.pipeline',
        ),
        (GBG, 'nms = dict(iou_threshold=0.9)', 'val_dataloader.dataset.bbox_filter'),
        (
            TWO_STAGES,
            'nms = dict(iou_threshold=0.9)',
            'val_dataloader.dataset.bbox_filter',
        ),
        (
            GBG.with_stem('td-ogn_res50-1deconv_8xb8-22e_coco-512x384-gbg'),
            'gbg = dict(top_n=1)',
            'val_dataloader.dataset.bbox_filter',
        ),
    ],
)
def test_a_variable_that_nothing_follows_is_refused(child, base, text, place):
    name = text.partition(' ')[0]
    with pytest.raises(ValueError, match=f'`{name}` is set anew, but .*{place}'):
        read_config(child(text, base))
    # nor does a grandchild that sets something else make it better
    parent = child(text, base, 'parent')
    with pytest.raises(ValueError, match=f'`{name}` is set anew'):
        read_config(child('train_cfg = dict(max_epochs=3)', parent))


def test_numbers_are_variables_as_well(child):
    base = child('epochs = 40\ntrain_cfg = dict(max_epochs=epochs)', name='base')
    with pytest.raises(ValueError, match='`epochs` .*train_cfg.max_epochs'):
        read_config(child('epochs = 50', base))
    # 50 stands elsewhere as well, as the logger's interval
    text = 'epochs = 50\ntrain_cfg = dict(max_epochs=epochs)'
    assert read_config(child(text, base)).train_cfg.max_epochs == 50


def test_a_number_that_stands_elsewhere_by_chance_is_no_place(child):
    hook = 'default_hooks = dict(checkpoint=dict(max_keep_ckpts=20))'
    base = child(f'warm = 20\ntrain_cfg = dict(max_epochs=warm + 30)\n{hook}', name='b')
    read_config(child('warm = 25\ntrain_cfg = dict(max_epochs=warm + 30)', base))


def test_a_variable_that_was_followed_where_it_was_set_is_fine(child):
    text = "kind = '{}'\ntrain_dataloader = dict(dataset=dict(type=kind))"
    base = child(text.format('ValidatedCocoDataset'), name='base')
    middle = child(text.format('HumanArtDataset'), base, 'middle')
    last = "train_dataloader = dict(dataset=dict(type='ValidatedCocoDataset'))"
    assert read_config(child(last, middle)).kind == 'HumanArtDataset'


def test_a_codec_with_its_defaults_spelt_out_is_the_same(child):
    read_config(child('codec = dict(radius=None, vote_radius=0)'))


def test_variables_of_ones_own_and_places_set_otherwise_are_fine(child):
    text = (
        "note = 'a variable that no base has'\n"
        "data_root = 'data/mine/'\n"
        'train_dataloader = dict(dataset=dict(data_root=data_root))'
    )
    read_config(child(text))
    # the base's variable is stale, but its place says what is trained
    read_config(child("train_dataloader = dict(dataset=dict(data_root='data/x/'))"))


@pytest.mark.parametrize(
    'option, problem',
    [
        ('lr', 'nothing reads `lr`'),
        ('optimizer.lr', 'nothing reads `optimizer`'),
        ('data_root', 'variable .*set `train_dataloader.dataset.data_root`'),
        ('val_pipeline.0.type', 'variable .*set `val_dataloader.dataset.pipeline`'),
        ('train_dataloader.dataset.pipeline.-1.type', '`-1` is no place in a list'),
        ('train_dataloader.dataset.pipeline.44.type', '`44` is no place in a list'),
    ],
)
def test_options_that_nothing_follows_are_refused(option, problem):
    with pytest.raises(ValueError, match=f'--cfg-options {option}: .*{problem}'):
        read_config(str(DEMO), {option: 1})


def test_upstreams_recipes_are_refused_only_where_they_are_at_fault():
    """MMPose 1.3.2's UDP recipes for DeepFashion train the heatmaps of their bases."""
    configs = Path(mmpose.__path__[0], '.mim/configs')
    refused = {}
    for path in sorted(configs.glob('*_2d_keypoint/topdown_*/*/*.py')):
        try:
            read_config(str(path))
        except ValueError as error:
            refused[path] = str(error)
    assert set(refused) == set(configs.rglob('*_udp_*deepfashion_*.py')) and refused
    reason = '`codec` is UDPHeatmap, but `model.head.decoder` is MSRAHeatmap'
    assert all(reason in sentence for sentence in refused.values())


def test_recipes_of_one_format_or_another(child, tmp_path):
    """JSON has bases as well; MMEngine's new configs are Python's own imports."""
    base = Config.fromfile(DEMO)
    base.dump(tmp_path / 'base.json')
    (tmp_path / 'child.json').write_text(
        json.dumps(dict(_base_='base.json', data_root='data/mine/'))
    )
    with pytest.raises(ValueError, match='`data_root` is set anew'):
        check_variables(Config.fromfile(tmp_path / 'child.json'))
    (tmp_path / 'base.py').write_text("data_root = 'data/x/'\nwork_dir = data_root\n")
    new = tmp_path / 'new.py'
    new.write_text(
        'from mmengine.config import read_base\n'
        'with read_base():\n'
        '    from .base import *\n'
        "model = dict(type='X')\n"
        "data_root = 'data/mine/'\n"
    )
    assert read_config(str(new)).data_root == 'data/mine/'
