"""The command on generated sequences, and on folders that it cannot use."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from conftest import load_tool
from posetrack_scenes import random_scene, write_scene

CASES = os.environ.get('OGN_POSEVAL_CASES')


@pytest.fixture(scope='module')
def tool():
    return load_tool('analysis_tools/evaluate_posetrack')


@pytest.fixture
def folders(tmp_path):
    rng = np.random.default_rng(0)
    for name in ('000001_mpii_test', '000002_bonn_test'):
        write_scene(tmp_path / 'case', name, random_scene(rng))
    return tmp_path / 'case/gt', tmp_path / 'case/pred'


def run(tool, folders, *options):
    tool.main([*map(str, folders), *options])


def test_report_and_table(tool, folders, tmp_path, capsys):
    out = tmp_path / 'new/report.json'
    run(tool, folders, '--out', str(out))
    report = json.loads(out.read_text())
    lines = capsys.readouterr().out.splitlines()
    columns = ['Head', 'Shou', 'Elb', 'Wri', 'Hip', 'Knee', 'Ankl', 'Total']
    ap, mota = (
        dict(zip(lines[i].split(), lines[i + 1].split()[1:], strict=True))
        for i in (0, 2)
    )
    assert list(ap) == columns
    assert list(mota) == [*columns, 'MOTP', 'Prec', 'Rec']
    assert ap['Elb'] == f'{report["table"]["ap"]["Elb"]:.1f}'
    assert mota['Total'] == f'{report["mot"]["mota_total"]:.1f}'
    assert mota['Prec'] == f'{report["table"]["mot"]["Prec Total"]:.1f}'
    assert list(report['sequences']) == ['000001_mpii_test', '000002_bonn_test']
    assert report['case'] == 'case' and 'identity' not in report


def test_hota_is_added(tool, folders, tmp_path, capsys):
    run(tool, folders, '--hota', '--out', str(tmp_path / 'report.json'))
    report = json.loads((tmp_path / 'report.json').read_text())
    table = capsys.readouterr().out.splitlines()[-2:]
    assert table[0].split() == ['HOTA', 'DetA', 'AssA', 'IDF1']
    assert table[1].split()[0] == f'{report["identity"]["hota_total"]:.1f}'


def test_what_is_not_defined_is_null(tool, tmp_path, capsys):
    scene = random_scene(np.random.default_rng(1))
    nobody = [[] for _ in scene[0]]
    write_scene(tmp_path, 'a', (nobody, *scene[1:]))
    folders = tmp_path / 'gt', tmp_path / 'pred'
    run(tool, folders, '--out', str(tmp_path / 'report.json'))
    text = (tmp_path / 'report.json').read_text()
    assert 'NaN' not in text and json.loads(text)['mot']['mota_total'] is None


def test_other_predictions_do_not_matter(tool, folders):
    expected = tool.evaluate(*folders)
    (folders[1] / 'another.json').write_text('not JSON')
    np.testing.assert_equal(tool.evaluate(*folders), expected)


def test_the_report_is_no_folder(tool, folders, tmp_path):
    with pytest.raises(SystemExit, match='--out should be a file, found a folder'):
        run(tool, folders, '--out', str(tmp_path))


def drop_frame(content):
    del content['images'][0]


def repeat_id(content):
    content['annotations'].append(content['annotations'][0])


def drop_boxes(content):
    for person in content['annotations']:
        del person['bbox_head']


@pytest.mark.parametrize(
    'side, change, message',
    [
        (1, None, r'pred/000001_mpii_test\.json: there is no such file \(and 1 more\)'),
        (1, 'cut', r'pred/000001_mpii_test\.json: is not JSON'),
        (1, drop_frame, r'pred/000001_mpii_test\.json: has 7 frames, but .*gt.* has 8'),
        (1, repeat_id, r"pred/000001.*: two people have the 'track_id'"),
        (0, drop_boxes, r'gt/000001_mpii_test\.json: .* has no head box'),
    ],
)
def test_one_sentence_for_what_is_wrong(side, change, message, tool, folders):
    for file in folders[side].iterdir():
        if change is None:
            file.unlink()
        elif change == 'cut':
            file.write_text(file.read_text()[:-5])
        else:
            content = json.loads(file.read_text())
            change(content)
            file.write_text(json.dumps(content))
    with pytest.raises(SystemExit, match=message) as stop:
        run(tool, folders)
    assert '\n' not in str(stop.value)


def test_no_such_folder(tool, folders):
    with pytest.raises(SystemExit, match='nowhere: there is no folder with JSON'):
        run(tool, ('nowhere', folders[1]))


def compare(ours, official, place):
    """All of the official figures, to 1e-6; null stands for what is not defined."""
    if isinstance(official, dict):
        assert official.keys() <= ours.keys(), place
        for key in official.keys() - {'case', 'description'}:
            compare(ours[key], official[key], f'{place} {key}')
    elif isinstance(official, list) and official and isinstance(official[0], str):
        assert ours == official, place
    else:
        values, expected = (np.array(v, float) for v in (ours, official))
        np.testing.assert_allclose(values, expected, 0, 1e-6, err_msg=place)


if CASES:  # folders with gt, pred and the official evaluator's expected.json

    @pytest.mark.full
    @pytest.mark.parametrize(
        'case', sorted(Path(CASES).glob('*/expected.json')), ids=lambda f: f.parent.name
    )
    def test_official_cases(case, tool, tmp_path):
        out = tmp_path / 'report.json'
        folders = case.parent / 'gt', case.parent / 'pred'
        run(tool, folders, '--out', str(out))
        expected = json.loads(case.read_text())
        compare(json.loads(out.read_text()), expected, case.parent.name)
