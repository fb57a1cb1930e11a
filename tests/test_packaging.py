"""The package as users get it: wheel, scope ``ogn_mm::``, metafiles, Makefile."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import load_tool
from mmengine.config import Config
from mmengine.hub import get_config
from modelindex.load_model_index import load as load_model_index

import ogn_mm

ROOT = Path(__file__).parents[1]

check_metafiles = load_tool('check_metafiles')


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """A wheel built from a copy of the sources, so that no build folder is left."""
    folder = tmp_path_factory.mktemp('wheel')
    source = folder / 'source'
    source.mkdir()
    unwanted = shutil.ignore_patterns('__pycache__')
    for name in ('ogn_mm', 'configs', 'tools', 'requirements'):
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=unwanted)
    for name in ('pyproject.toml', 'README.md', 'LICENSE', 'model-index.yml'):
        shutil.copy(ROOT / name, source)
    subprocess.run(
        [sys.executable, '-m', 'pip', 'wheel', '--quiet', '--no-deps']
        + ['--no-build-isolation', '--wheel-dir', folder, source],
        check=True,
    )
    return next(folder.glob('ogn_mm-*.whl'))


def test_wheel_holds_all_configs_and_tools(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ('configs', 'tools', 'requirements'):
        kept = [path for path in (ROOT / folder).rglob('*') if path.is_file()]
        for path in kept:
            if '__pycache__' not in path.parts:
                assert f'ogn_mm/.mim/{path.relative_to(ROOT)}' in names
    assert 'ogn_mm/.mim/model-index.yml' in names


def test_wheel_holds_all_modules_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    modules = {str(path.relative_to(ROOT)) for path in ROOT.glob('ogn_mm/**/*.py')}
    assert modules <= set(names)
    assert {name.split('/')[0].split('-')[0] for name in names} == {'ogn_mm'}
    assert not [name for name in names if '__pycache__' in name]


USE_THE_WHEEL = """
import sys
import ogn_mm
from mmengine.config import Config
from mmengine.registry import MODELS, TRANSFORMS, init_default_scope
from mmpose.registry import KEYPOINT_CODECS
assert ogn_mm.__file__.startswith(sys.argv[1]), ogn_mm.__file__
cfg = Config.fromfile(sys.argv[2])
init_default_scope(cfg.default_scope)
model = MODELS.build(cfg.model)
assert type(model.head).__name__ == 'OffsetHead'
assert type(KEYPOINT_CODECS.build(cfg.codec)).__name__ == 'OffsetHeatmap'
for step in cfg.train_dataloader.dataset.dataset.pipeline:
    TRANSFORMS.build(step)
"""

INHERITING_CONFIG = """
_base_ = 'ogn_mm::ogn_topdown/td-ogn_res50-1deconv_8xb8-22e_coco-256x192.py'
codec = _base_.codec
model = dict(backbone=dict(init_cfg=None))
"""


def test_wheel_serves_a_config_outside_the_checkout(wheel, tmp_path):
    """A user's config inherits by ``ogn_mm::`` from the wheel, and all of it builds."""
    zipfile.ZipFile(wheel).extractall(tmp_path)
    config = tmp_path / 'mine.py'
    config.write_text(INHERITING_CONFIG)
    done = subprocess.run(
        [sys.executable, '-c', USE_THE_WHEEL, str(tmp_path), str(config)],
        cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert 'Failed to search registry' not in done.stdout + done.stderr


def test_scope_finds_the_checkout(tmp_path):
    config = tmp_path / 'mine.py'
    config.write_text(INHERITING_CONFIG)
    inherited = Config.fromfile(config)
    named = get_config(
        'ogn_mm::ogn_topdown/td-ogn_res50-1deconv_8xb8-22e_coco-256x192.py'
    )
    assert inherited.model.head.type == named.model.head.type == 'OffsetHead'
    assert Path(named.filename).resolve().is_relative_to(ROOT / 'configs')


def test_editable_install_finds_the_links():
    for path in (ROOT / 'ogn_mm' / '.mim').iterdir():
        assert path.resolve() == ROOT / path.name


def test_versions_agree():
    citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text())
    assert citation['version'] == ogn_mm.__version__
    assert f'## {ogn_mm.__version__}' in (ROOT / 'CHANGELOG.md').read_text()


def test_makefile_refuses_other_pythons(tmp_path):
    done = subprocess.run(
        ['make', 'setup', f'VENV={tmp_path}/venv', 'PYTHON=false'],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert 'false is not a Python 3.10, 3.11 or 3.12' in done.stdout
    assert not (tmp_path / 'venv').exists()


def test_metafiles_of_this_repository():
    assert list(check_metafiles.check_tree(ROOT)) == []


def test_mim_reads_the_metafiles():
    """All that they hold, by the package that MIM reads them with."""
    index = load_model_index(str(ROOT / 'model-index.yml'))
    assert not index.check_errors
    metafiles = [
        yaml.safe_load(path.read_text()) for path in ROOT.glob('configs/*/metafile.yml')
    ]
    for kind, found in (('Collections', index.collections), ('Models', index.models)):
        expected = {
            entry['Name']: entry for content in metafiles for entry in content[kind]
        }
        assert {entry.name for entry in found} == expected.keys()
        assert len(found) == len(expected)
        for entry in found:
            plain = dict(entry.data)
            if 'Metadata' in plain:
                plain['Metadata'] = entry.metadata.data
            if 'Results' in plain:
                plain['Results'] = [result.data for result in entry.results]
            assert plain == expected[entry.name]


METRICS = {
    'AP': 'coco/AP',
    'AP@0.5': 'coco/AP .5',
    'AP@0.75': 'coco/AP .75',
    'AR': 'coco/AR',
}
SMALL_MATTERS = {'randomness.seed', 'optim_wrapper.type', 'train_cfg.val_begin'}


def studied_configs():
    """Configs that a kept study ran as they are: name, mean metrics."""
    for folder in sorted((ROOT / 'docs/results').iterdir()):
        runs = {}
        for path in folder.glob('*/seed*/result.json'):
            result = json.loads(path.read_text())
            runs.setdefault(result['row'], []).append(result)
        if not runs:  # no study of configs
            continue
        study = Config.fromfile(ROOT / f'configs/studies/{folder.name}.py')
        for row in study.rows:
            of_row = runs.get(row['name'], [])
            changes = {key for run in of_row for key in run['overrides']}
            if of_row and row.keys() == {'name', 'config'} and changes <= SMALL_MATTERS:
                yield (
                    Path(row['config']).stem,
                    {
                        name: float(
                            f'{np.mean([run["metrics"][key] for run in of_row]):.3f}'
                        )
                        for name, key in METRICS.items()
                    },
                )


def test_results_are_those_of_the_studies():
    listed = {
        model['Name']: [result['Metrics'] for result in model['Results']]
        for path in ROOT.glob('configs/*/metafile.yml')
        for model in yaml.safe_load(path.read_text())['Models']
        if 'Results' in model
    }
    studied = {name: [metrics] for name, metrics in studied_configs()}
    assert studied and listed == studied


MODEL = {
    'Name': 'a',
    'In Collection': 'OGN',
    'Config': 'configs/x/a.py',
    'Metadata': {'Training Data': 'COCO'},
    'Results': [{'Task': 'Pose', 'Dataset': 'COCO', 'Metrics': {'AP': 0.7}}],
}
COLLECTION = {
    'Name': 'OGN',
    'Paper': {'Title': 'A title', 'URL': 'https://example.org'},
    'README': 'configs/x/README.md',
}


def problems_of(root, models, collections=(COLLECTION,), imported=True):
    """Write a small tree of metafiles and return its problems."""
    folder = root / 'configs' / 'x'
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'a.py').write_text('')
    (folder / 'README.md').write_text('')
    content = {'Collections': list(collections), 'Models': models}
    (folder / 'metafile.yml').write_text(yaml.safe_dump(content))
    index = {'Import': ['configs/x/metafile.yml'] if imported else []}
    (root / 'model-index.yml').write_text(yaml.safe_dump(index))
    return list(check_metafiles.check_tree(root))


def test_folders_of_recipes_have_a_metafile(tmp_path):
    for name in ('_base_', 'benchmarks', 'mine', 'studies', 'new', 'other'):
        (tmp_path / 'configs' / name).mkdir(parents=True)
        (tmp_path / 'configs' / name / 'b.py').write_text('')
    (tmp_path / 'configs/pictures').mkdir()
    (tmp_path / 'configs/x').mkdir()
    (tmp_path / 'configs/x/study.py').write_text('')  # is no recipe
    assert problems_of(tmp_path, [MODEL]) == [
        'configs/new has no metafile.yml',
        'configs/other has no metafile.yml',
    ]


def test_sound_metafile(tmp_path):
    assert problems_of(tmp_path, [MODEL]) == []


@pytest.mark.parametrize(
    ('change', 'told'),
    [
        ({'Config': 'configs/x/b.py'}, 'Config configs/x/b.py does not exist'),
        ({'Name': 'b'}, 'model b: Name differs from that of its Config'),
        ({'In Collection': 'HRNet'}, 'In Collection HRNet is not defined'),
        ({'Metadata': {}}, 'has no Metadata: Training Data'),
        (
            {'Results': [MODEL['Results'][0] | {'Metrics': {'AP': '0.7'}}]},
            "Metrics: AP is '0.7', not a number",
        ),
        ({'Results': [{'Task': 'Pose', 'Dataset': 'COCO'}]}, 'a result has no Metrics'),
    ],
)
def test_faulty_model(change, told, tmp_path):
    problem, *others = problems_of(tmp_path, [MODEL | change])
    lacking = ['configs/x/metafile.yml: Models lack configs/x/a.py']
    assert others == (lacking if 'Config' in change else [])
    assert problem.startswith('configs/x/metafile.yml: ')
    assert told in problem


def test_faulty_metafile(tmp_path):
    (problem,) = problems_of(tmp_path / '1', [MODEL, MODEL])
    assert problem == 'Models: a stands in the metafiles more than once'
    (problem,) = problems_of(tmp_path / '2', [MODEL], imported=False)
    assert problem == 'model-index.yml: Import lacks configs/x/metafile.yml'
    (problem,) = problems_of(
        tmp_path / '3', [MODEL], [COLLECTION | {'README': 'no.md'}]
    )
    assert 'README no.md does not exist' in problem
    problems = problems_of(tmp_path / '4', [])
    assert [problem.partition(': ')[2] for problem in problems] == [
        'it has no Models',
        'Models lack configs/x/a.py',
    ]
