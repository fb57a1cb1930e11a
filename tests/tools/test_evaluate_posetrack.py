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


def unlabel(folder, *frames):
    """Say that some frames of each truth are not labelled."""
    for file in folder.iterdir():
        content = json.loads(file.read_text())
        for frame in frames:
            content['images'][frame]['is_labeled'] = False
        file.write_text(json.dumps(content))


def test_unlabelled_frames_count_for_nothing(tool, folders, tmp_path, capsys):
    """All figures are those of files that lack these frames, whatever is found there.

    People may be listed in them with boxes only, or, which is said, with keypoints.
    """
    frames = 2, 5
    bare = tmp_path / 'bare'
    for folder in folders:
        (bare / folder.name).mkdir(parents=True)
        for file in folder.iterdir():
            content = json.loads(file.read_text())
            images = content['images']
            content['images'] = [im for i, im in enumerate(images) if i not in frames]
            (bare / folder.name / file.name).write_text(json.dumps(content))
    unlabel(folders[0], *frames)
    report = tool.evaluate(*folders, hota=True)
    expected = tool.evaluate(bare / 'gt', bare / 'pred', hota=True)
    with_keypoints = report.pop('skipped')
    expected.pop('skipped')
    np.testing.assert_equal(report, expected)
    (reason,) = with_keypoints
    assert reason == 'people with keypoints in unlabelled frames of the ground truth'

    run(tool, folders)
    assert f'left out {with_keypoints[reason]} {reason}' in capsys.readouterr().err
    for file in folders[0].iterdir():
        content = json.loads(file.read_text())
        ids = [content['images'][i]['id'] for i in frames]
        for person in content['annotations']:
            if person['image_id'] in ids:
                person['keypoints'] = []
        file.write_text(json.dumps(content))
    report = tool.evaluate(*folders, hota=True)
    assert not report.pop('skipped')
    np.testing.assert_equal(report, expected)


def test_remarks(tool, folders, capsys):
    """On standard error: unknown images, equal scores, files without ground truth."""
    (folders[1] / 'another.json').write_text('not JSON')
    for file in folders[1].glob('0*'):
        content = json.loads(file.read_text())
        for person in content['annotations']:
            del person['scores']
        content['annotations'].append(dict(image_id=3))
        file.write_text(json.dumps(content))
    run(tool, folders)
    out, err = capsys.readouterr()
    assert 'left out' not in out
    assert 'left out 2 people of unknown images in the predictions' in err
    assert 'AP depends on the order of equal scores' in err
    assert 'left out 1 files without ground truth, such as' in err


def test_the_report_is_no_folder(tool, folders, tmp_path):
    with pytest.raises(SystemExit, match='--out should be a file, found a folder'):
        run(tool, folders, '--out', str(tmp_path))


def drop_frame(content):
    del content['images'][0]


def repeat_id(content):
    content['annotations'].append(content['annotations'][0])


def reverse_images(content):
    content['images'].reverse()


def drop_boxes(content):
    for person in content['annotations']:
        del person['bbox_head']


@pytest.mark.parametrize(
    'side, change, message',
    [
        (1, None, r'pred/000001_mpii_test\.json: there is no such file \(and 1 more\)'),
        (1, 'cut', r'pred/000001_mpii_test\.json: is not JSON'),
        (1, drop_frame, r'pred/000001_mpii_test\.json: has 7 frames, but .*gt.* has 8'),
        (
            1,
            reverse_images,
            r'pred/.*: frame 0 is 000007\.jpg, but 000000\.jpg in .*gt',
        ),
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
