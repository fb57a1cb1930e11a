"""Configs that the documents show: each is read as it stands there, and builds."""

import re
import shutil
import textwrap
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import MODELS, TRANSFORMS
from test_docs import DOCUMENTS, ROOT

from ogn_mm.engine.config_check import check_config

IS_CONFIG = re.compile(r'^(_base_|model|train_dataloader) = ', re.M)
# Where a document's configs are saved, if not beside it.
FOLDERS = {
    'docs/tools.md': '.',
    'docs/tutorial.md': 'configs/mine',
    'docs/installation.md': 'elsewhere',
}
# Parts for a config that the reader has: the documents say which kind.
DETECTORS = [
    'mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py',
    'mmdet::mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py',
]
BASES = {
    'configs/ogn_mask_rcnn/README.md': DETECTORS,
    'configs/person_detector/README.md': DETECTORS,
}
# Names that a reader fills in.
NAMES = {
    'person_detector/NAME': 'person_detector/'
    'faster-rcnn_r18-half_fpn_1xb4-5e_generated-crowds-240x320',
    'ogn_topdown/NAME': 'ogn_topdown/td-ogn_res18-1deconv_1xb32-8e_crowds-128x96',
    "'FILE'": 'None',
}


def config_blocks(document):
    """The texts of a document's blocks that are configs, and how many others it has."""
    blocks = re.findall(r'^ *```python\n(.*?)^ *```', document.read_text(), re.M | re.S)
    blocks = [textwrap.dedent(block) for block in blocks]
    return [block for block in blocks if IS_CONFIG.search(block)], len(blocks)


CASES = []
for document in DOCUMENTS:
    name = str(document.relative_to(ROOT))
    for number, text in enumerate(config_blocks(document)[0]):
        for base in [None] if '_base_ = ' in text else BASES[name]:
            id = f'{name}-{number}{base and re.sub(".*/", " on ", base) or ""}'
            CASES.append(pytest.param(name, text, base, id=id))


def test_blocks_are_found():
    """The others are the tutorial's study and code that uses an exported file."""
    assert len(CASES) >= 12
    others = {}
    for document in DOCUMENTS:
        configs, count = config_blocks(document)
        if count > len(configs):
            others[document.name] = count - len(configs)
    assert others == {'tutorial.md': 1, 'export.md': 1}


@pytest.fixture
def read(tmp_path, monkeypatch):
    """A function that reads a block where its document says that it is saved."""
    shutil.copytree(ROOT / 'configs', tmp_path / 'configs')
    monkeypatch.chdir(tmp_path)

    def read(name, text, base=None):
        for placeholder, value in NAMES.items():
            text = text.replace(placeholder, value)
        path = Path(FOLDERS.get(name, Path(name).parent)) / 'mine.py'
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'_base_ = {base!r}\n{text}' if base else text)
        config = Config.fromfile(path)
        check_config(config)
        init_default_scope(config.default_scope)
        return config

    return read


def build(model):
    """Build a model's config without loading weights."""
    for part in (model, model.get('backbone', {})):
        if 'init_cfg' in part:
            part.init_cfg = None
    return MODELS.build(model)


@pytest.mark.slow
@pytest.mark.parametrize('name, text, base', CASES)
def test_config_builds(name, text, base, read):
    """Its model is of the parts that the block names."""
    config = read(name, text, base)
    model = build(config.model)
    parts = {type(module).__name__ for module in model.modules()}
    assert config.model.type in parts
    if '\nmodel = ' in f'\n{text}' and not hasattr(model, 'tracker'):
        assert parts >= set(re.findall(r"type='(\w+Head)'", text))


def test_own_keypoints(read):
    """The three keypoints take the place of the animals' everywhere."""
    name = 'configs/ogn_topdown/README.md'
    (text,) = (t for t in config_blocks(ROOT / name)[0] if 'arrows' in t)
    config = read(name, text)
    model = build(config.model)
    with torch.no_grad():
        maps = model.head(model.extract_feat(torch.zeros(1, 3, 256, 256)))
    assert maps.shape == (1, 3 * 3, 32, 32)
    for split in ('train', 'val', 'test'):
        dataset = config[f'{split}_dataloader'].dataset
        assert dataset.data_root == 'data/arrows/'
        metainfo = parse_pose_metainfo(dataset.metainfo.to_dict())
        assert metainfo['dataset_name'] == 'arrows'
        assert list(metainfo['flip_indices']) == [0, 2, 1]
        for step in dataset.pipeline:
            TRANSFORMS.build(step)
    assert config.val_evaluator.ann_file == config.test_evaluator.ann_file
    assert config.val_evaluator.ann_file == 'data/arrows/annotations/val.json'
