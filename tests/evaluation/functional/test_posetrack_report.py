"""The whole evaluator: official figures, plain loops, and what may not matter."""

import json
from pathlib import Path

import numpy as np
import posetrack_brute_force as brute_force
import pytest
from posetrack_scenes import random_scene, to_2017, to_2018, write_scene

from ogn_mm.datasets.posetrack import sequence_files
from ogn_mm.evaluation.functional import (
    PoseTrackReport,
    read_posetrack,
)

DATA = Path(__file__).parents[2] / 'data/posetrack'


def evaluate(root, names=None, **kwargs):
    report = PoseTrackReport(**kwargs)
    for file in sequence_files(root / 'gt'):
        if names is None or file.stem in names:
            found = read_posetrack(root / 'pred' / file.name, truth=False)
            report.add(file.stem, read_posetrack(file, truth=True), found)
    return report.build()


def assert_same(values, expected):
    """NaN equals NaN, and None from JSON."""
    values, expected = (np.array(v, float) for v in (values, expected))
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-9)


def test_official_figures():
    """Two generated sequences, one in each layout; figures of poseval 4258a157."""
    report = evaluate(DATA)
    official = json.loads((DATA / 'official.json').read_text())
    for part, metrics in official.items():
        for name, values in metrics.items():
            ours = report[part][name] + [report[part][f'{name}_total']]
            assert_same(ours, values)


@pytest.mark.parametrize('layout', [to_2017, to_2018])
@pytest.mark.parametrize('seed', range(8))
def test_equals_plain_loops(seed, layout, tmp_path):
    rng = np.random.default_rng(seed)
    scenes = [random_scene(rng) for _ in range(3)]
    for i, scene in enumerate(scenes):
        write_scene(tmp_path, str(i), scene, layout, to_2018)
    report = evaluate(tmp_path)
    sequences = [
        frames
        for truth, found, regions in scenes
        if (frames := brute_force.clean(truth, found, regions))
    ]
    for names, values in (
        (('ap', 'pre', 'rec'), brute_force.evaluate_ap(sequences)),
        (('mota', 'motp', 'pre', 'rec'), brute_force.evaluate_mot(sequences)),
    ):
        part = 'ap' if 'ap' in names else 'mot'
        for name, expected in zip(names, values, strict=True):
            assert_same(report[part][name], expected)
            assert_same(report[part][f'{name}_total'], np.nanmean(expected))
    assert report['counts']['num_switches'] != [0] * 15


def test_columns_and_totals(tmp_path):
    """Columns are means of their joints, the total is one of all joints."""
    write_scene(tmp_path, '0', random_scene(np.random.default_rng(1)))
    report = evaluate(tmp_path)
    ap, mota = report['ap']['ap'], report['mot']['mota']
    assert report['table']['ap']['Head'] == np.mean([ap[12], ap[13], ap[14]])
    assert report['table']['mot']['MOTA Ankl'] == np.mean([mota[0], mota[5]])
    assert report['table']['ap']['Total'] == pytest.approx(np.mean(ap))
    assert list(report['table']['mot'])[-4:] == [
        'MOTA Total',
        'MOTP Total',
        'Prec Total',
        'Rec Total',
    ]


def test_a_column_with_nan_is_nan_but_the_total_is_not(tmp_path):
    """left_wrist is predicted and never annotated."""
    truth, found, regions = random_scene(np.random.default_rng(2))
    for frame in truth:
        for person in frame:
            person['exist'][11] = False
    write_scene(tmp_path, '0', (truth, found, regions))
    report = evaluate(tmp_path)
    assert np.isnan(report['table']['ap']['Wri'])
    assert np.isfinite(report['table']['ap']['Total'])


def test_sequences_alone(tmp_path):
    rng = np.random.default_rng(3)
    for name in ('a', 'b'):
        write_scene(tmp_path, name, random_scene(rng))
    together = evaluate(tmp_path)
    for name in ('a', 'b'):
        alone = evaluate(tmp_path, [name])
        np.testing.assert_equal(
            together['sequences'][name], {k: alone[k] for k in ('ap', 'mot')}
        )


def test_nothing_annotated(tmp_path):
    """AP, MOTP are 0, the rest NaN; the sequence takes no part."""
    _, found, regions = random_scene(np.random.default_rng(4))
    write_scene(tmp_path, '0', ([[] for _ in found], found, regions))
    report = evaluate(tmp_path, hota=True)
    assert report['ap']['ap'] == [0] * 15 and report['mot']['motp'] == [0] * 15
    assert report['sequences'] == {} and report['counts']['frames_used_ap'] == 0
    for name in ('mota', 'pre', 'rec'):
        assert np.isnan(report['mot'][f'{name}_total'])
    assert np.isnan(report['identity']['hota_total'])


def test_one_frame_alone_is_not_tracked(tmp_path):
    write_scene(tmp_path, '0', random_scene(np.random.default_rng(8), num_frames=1))
    report = evaluate(tmp_path)
    assert report['ap']['ap_total'] > 0
    assert report['counts']['num_objects'] == [0] * 15


@pytest.mark.parametrize('scores, depends', [((0.5, 0.5), True), ((0.5, 0.6), False)])
def test_whether_ties_matter(scores, depends, tmp_path):
    """A right and a wrong prediction, in a scene of two frames."""
    joints, exist = np.arange(30).reshape(15, 2), np.ones(15, bool)
    person = dict(track_id=0, joints=joints, exist=exist, head=(30, 40))
    found = [
        dict(
            track_id=i, joints=joints + 100 * i, exist=exist, scores=np.full(15, score)
        )
        for i, score in enumerate(scores)
    ]
    write_scene(tmp_path, '0', ([[person]] * 2, [found] * 2, [[], []]))
    assert evaluate(tmp_path)['depends_on_tie_order'] is depends
