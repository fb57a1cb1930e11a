"""From a study file to its runs."""

import re
from pathlib import Path

from mmengine.config import Config
from mmpose.registry import KEYPOINT_CODECS

from ogn_mm.engine.config_check import read_config
from ogn_mm.evaluation import find_coco_metric

from .launch import ALONE, Launcher
from .run import Run

STUDY_KEYS = {'rows', 'seeds', 'baseline', 'common_options', 'note'}
SOURCE_KEYS = ('weights_of', 'predictions_of')
ROW_KEYS = {'name', 'config', 'cfg_options', 'paper', *SOURCE_KEYS}


def load_study(path: str) -> dict:
    """Read a study file; names that start with an underscore are its own.

    Raises:
        ValueError: A key is missing, unknown or holds what it cannot hold.
    """
    study = Config.fromfile(path).to_dict()
    study = {key: study[key] for key in study if not key.startswith('_')}
    if not set(study) <= STUDY_KEYS or not study.get('rows'):
        raise ValueError(
            f'a study has `rows` and may have {sorted(STUDY_KEYS - {"rows"})}; this '
            f'file has {sorted(study)}'
        )
    for i, row in enumerate(study['rows']):
        if not {'name', 'config'} <= set(row) <= ROW_KEYS:
            raise ValueError(
                f'`rows[{i}]` needs `name` and `config` and may have `cfg_options`, '
                f'`paper` and one of `weights_of` and `predictions_of`; it has '
                f'{sorted(row)}'
            )
    names = [row['name'] for row in study['rows']]
    check_sources(study['rows'])
    if len({folder_name(name) for name in names} - {''}) < len(names):
        raise ValueError(f'`rows`: names must differ in letters or digits: {names}')
    if study.get('baseline', names[0]) not in names:
        raise ValueError(f'`baseline` {study["baseline"]!r} is none of {names}')
    return study


def check_sources(rows: list[dict]) -> None:
    """Check that a row takes weights from one that is trained, predictions from one
    that is tested, and not both.

    Raises:
        ValueError: It does not.
    """
    trained = [row['name'] for row in rows if not row.keys() & set(SOURCE_KEYS)]
    tested = [row['name'] for row in rows if 'predictions_of' not in row]
    for i, row in enumerate(rows):
        if row.keys() >= set(SOURCE_KEYS):
            raise ValueError(f'`rows[{i}]` has both `weights_of` and `predictions_of`')
        for key, names in zip(SOURCE_KEYS, (trained, tested), strict=True):
            if key in row and row[key] not in names:
                raise ValueError(
                    f'`rows[{i}]`: `{key}` {row[key]!r} is none of the rows that are '
                    f'{"trained" if key == "weights_of" else "tested"}, {names}'
                )


def folder_name(row: str) -> str:
    """A row's name as the name of its folder."""
    return re.sub(r'[^a-z0-9.]+', '-', row.lower()).strip('-.')


def plan_runs(
    study: dict, seeds: list[int], work_dir: Path, launcher: Launcher = ALONE
) -> list[Run]:
    """All runs of a study: every row with the first seed, then with the second, ...

    Raises:
        ValueError: A row's config or options are faulty.
    """
    runs = []
    common = study.get('common_options', {})
    for seed in seeds:
        for row in study['rows']:
            options = [common, row.get('cfg_options', {}), {'randomness.seed': seed}]
            try:
                cfg = resolve_config(row['config'], *options)
            except (TypeError, ValueError, OSError, SyntaxError) as error:
                raise ValueError(f'row {row["name"]!r}: {error}') from error
            overrides = {key: group[key] for group in options for key in group}
            parent = work_dir / folder_name(row['name'])
            runs.append(Run(row['name'], seed, overrides, cfg, parent, launcher))
    by_name = {(run.row, run.seed): run for run in runs}
    for run, row in zip(runs, study['rows'] * len(seeds), strict=True):
        for key in row.keys() & set(SOURCE_KEYS):
            run.source = by_name[row[key], run.seed]
            run.only_measures = key == 'predictions_of'
            run.source.dumps |= run.only_measures
    return runs


def resolve_config(path: str, *options: dict) -> Config:
    """Read a config, merge options into it, and let its test write the predictions.

    Raises:
        ValueError: A key is misspelt, or the test is not by one ``CocoMetric``.
    """
    cfg = read_config(path, *options)
    if 'codec' in cfg:
        KEYPOINT_CODECS.build(cfg.codec)  # tells of options that it does not have

    # MMEngine fills in the place of the file, so that the text stays the same, and
    # finished runs stay valid, when the study is moved
    prefix = '{{ fileDirname }}/{{ fileBasenameNoExtension }}/predictions'
    find_coco_metric(cfg).outfile_prefix = prefix
    return cfg
