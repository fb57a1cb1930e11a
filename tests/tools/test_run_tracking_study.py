"""The tracking study: its table from results of runs, and one real run."""

import importlib
import json
import sys
from pathlib import Path

import pytest
from mmpose.registry import MODELS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope='module')
def tool():
    sys.path.insert(0, str(ROOT / 'tools'))
    yield importlib.import_module('run_tracking_study')
    sys.path.pop(0)


def test_differences_pair_videos(tool):
    def run(seed, a, b):
        return dict(seed=seed, videos=dict(a=a, b=b))

    mean, low, high = tool.compare_videos(
        [run(0, 60, 70), run(1, 80, 90)], [run(1, 78, 88), run(0, 58, 68)]
    )
    assert (mean, low, high) == (2, 2, 2)
    mean, low, high = tool.compare_videos([run(0, 60, 70)], [run(0, 50, 70)])
    assert (mean, low, high) == (5, 0, 10)


def test_each_kind_of_detections_has_its_panel(tool):
    def run(detections, tracker, mota):
        return dict(detections=detections, tracker=tracker, metrics=dict(MOTA=mota))

    runs = [
        run(detections, tracker, mota)
        for detections, motas in dict(annotated=(90, 80), detector=(60, 50)).items()
        for tracker in ('IoU', 'all')
        for mota in motas
    ]
    panels = tool.plot_runs(dict(runs=runs)).axes
    titles = [panel.get_title(loc='left') for panel in panels]
    assert titles == ['detections: annotated', 'detections: detector']
    labels = [label.get_text() for label in panels[0].get_yticklabels()]
    assert labels == ['IoU', 'all']
    bars = [[bar.get_width() for bar in panel.patches] for panel in panels]
    assert bars == [[85, 85], [55, 55]]


@pytest.mark.parametrize('name', ['tracking', 'tracking_causes', 'tracking_smoke'])
def test_studies_are_planned(tool, monkeypatch, name):
    monkeypatch.chdir(ROOT)
    study = tool.Config.fromfile(f'configs/studies/{name}.py').to_dict()
    runs = list(tool.plan_runs(study, study['seeds'], Path('data')))
    count = [len(study[key]) for key in ('seeds', 'trackers', 'detections')]
    assert len(runs) == count[0] * count[1] * count[2] > 0
    assert runs[0][0]['tracker'] == study['baseline']
    for names, cfg in runs:
        last = list(study['trackers'])[-1]
        if (names['seed'], names['tracker']) == (study['seeds'][0], last):
            for part in ('detector', 'pose_estimator'):  # random weights
                if part in cfg.model:
                    del cfg.model[part].checkpoint
            model = MODELS.build(cfg.model)
            assert model.flow and model.propagation
            assert model.appearance or last != 'all'


@pytest.mark.slow
def test_a_study_goes_on(tool, tmp_path, monkeypatch):
    study = tmp_path / 'study.py'
    study.write_text(
        "config = 'configs/demo/video-pose-oracle_iou_generated-videos-240x320.py'\n"
        'seeds = [5]\n'
        'videos = dict(num_videos=1, frames=4, size=(160, 120), max_people=2)\n'
        "baseline = 'IoU'\n"
        "trackers = {'IoU': {}, 'strict': {'model.tracker.match_thr': 0.5}}\n"
        "detections = {'annotated': {}}\n"
    )
    monkeypatch.chdir(ROOT)
    out = tmp_path / 'out'
    command = [str(study), '--out', str(out), '--data', str(tmp_path / 'data')]
    tool.main(command)
    runs = json.loads((out / 'results.json').read_text())['runs']
    assert [run['tracker'] for run in runs] == ['IoU', 'strict']
    assert runs[0]['metrics']['MOTA'] > 90
    assert '| annotated | strict |' in (out / 'table.md').read_text()
    assert (out / 'study.png').stat().st_size > 5000

    monkeypatch.setattr(tool, 'test_tracker', None)
    tool.main(command)
    assert json.loads((out / 'results.json').read_text())['runs'] == runs
