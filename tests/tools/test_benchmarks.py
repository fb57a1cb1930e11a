"""The benchmark scripts run and print whole tables; their figures are not judged."""

import importlib
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ogn_mm.datasets.transforms.seeding import TRAINING_CLOCK

FOLDER = Path(__file__).parents[2] / 'tools/benchmarks'


@pytest.fixture
def load(monkeypatch):
    """Import a script; afterwards the libraries have their threads again."""
    monkeypatch.syspath_prepend(str(FOLDER))
    threads = cv2.getNumThreads(), torch.get_num_threads()
    yield importlib.import_module
    cv2.setNumThreads(threads[0])
    torch.set_num_threads(threads[1])
    TRAINING_CLOCK.fill_(-1)
    for path in FOLDER.glob('*.py'):
        sys.modules.pop(path.stem, None)


def read_table(text):
    """Rows of the first Markdown table as dicts."""
    lines = [line for line in text.splitlines() if line.startswith('|')]
    cells = [[cell.strip() for cell in line.strip('|').split('|')] for line in lines]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]


def test_ratio_is_the_median_of_the_rounds(load):
    timing = load('timing')
    slow_second_round = np.array([1.0, 10, 1]), np.array([2.0, 20, 4])
    assert timing.median_ratio(*slow_second_round) == 0.5


def test_rivals_take_turns(load):
    timing = load('timing')
    order = []
    timing.compare({name: lambda name=name: order.append(name) for name in 'ab'}, 2, 0)
    assert ''.join(order[-4:]) == 'abba'


def test_codecs(load, capsys):
    load('benchmark_codec').main(
        ['--sizes', '6x8', '--people', '2', '--rounds', '1'],
    )
    rows = read_table(capsys.readouterr().out)
    assert [row['task'] for row in rows] == [
        task for task in ('encode', 'decode', 'decode noise') for _ in range(4)
    ]
    for row in rows:
        ratio = float(row['ratio to UDP combined'])
        assert ratio == 1 if row['codec'] == 'UDP combined' else ratio > 0


def test_heads(load, capsys):
    heads = ['--heads', '8:6x8:0', '8:3x4:1']
    load('benchmark_head').main([*heads, '--people', '2', '--rounds', '1'])
    rows = read_table(capsys.readouterr().out)
    assert [row['head'] for row in rows] == ['8:6x8:0'] * 8 + ['8:3x4:1'] * 8
    assert all(float(row['predict, ms']) > 0 for row in rows)


@pytest.mark.parametrize('text', ['8:6x8', '8:6:1', 'x:6x8:1'])
def test_faulty_head(load, text, capsys):
    with pytest.raises(SystemExit):
        load('benchmark_head').main(['--heads', text])
    assert f'expected CHANNELS:WxH:DECONVS, e.g. 512:6x8:1: {text}' in (
        capsys.readouterr().err
    )


def test_keypoint_rois(load, capsys):
    load('benchmark_keypoint_rois').main(['--rois', '2', '--rounds', '1'])
    rows = read_table(capsys.readouterr().out)
    assert [row['what'] for row in rows] == ['loss'] * 4 + ['decode'] * 4
    for row in rows:
        is_reference = row['head'].startswith('torchvision')
        assert float(row['ms']) >= 0 and (
            not is_reference or row['ratio to torchvision'] == '1'
        )


@pytest.mark.slow
def test_keypoint_rcnn(load, capsys):
    arguments = '--image 128 160 --images 1 --people 2 --rounds 1'
    load('benchmark_keypoint_rcnn').main(arguments.split())
    rows = read_table(capsys.readouterr().out)
    networks = ['torchvision', 'baseline', 'a', 'b', 'c']
    assert [row['network'] for row in rows] == 2 * networks
    assert {row['what'] for row in rows} == {'train', 'test'}
    for row in rows:
        ratio = float(row['ratio to torchvision'])
        assert ratio == 1 if row['network'] == 'torchvision' else ratio > 0


def test_pipelines(load, generated_people, capsys):
    load('benchmark_pipeline').main(
        [
            *('--ann-file', str(generated_people / 'annotations/val.json')),
            *('--img-dir', str(generated_people / 'images/val')),
            *('--samples', '3', '--rounds', '1'),
        ]
    )
    rows = {row['transform']: row for row in read_table(capsys.readouterr().out)}
    assert list(rows)[0] == 'SeedAugmentation' and list(rows)[-1] == 'all'
    assert rows['SeedAugmentation']['ratio'] == ''
    for name in ('LoadImage', 'RandomFlip', 'RandomBBoxTransform', 'GenerateTarget'):
        ours, rival = float(rows[name]['us']), float(rows[name]['rival us'])
        assert float(rows[name]['ratio']) == pytest.approx(ours / rival, rel=0.02)


def test_pose_nms(load, capsys):
    load('benchmark_pose_nms').main(['--poses', '1', '12', '--rounds', '1'])
    rows = read_table(capsys.readouterr().out)
    names = ['MMPose oks_nms', 'OKS', 'OKS + IoU']
    assert [(row['poses'], row['NMS']) for row in rows] == [
        (poses, name) for poses in ('1', '12') for name in names
    ]
    for theirs, ours, both in (rows[:3], rows[3:]):
        assert theirs['ratio to MMPose oks_nms'] == '1'
        assert int(theirs['kept']) == int(ours['kept']) >= int(both['kept']) > 0


def test_roi_loading(load, generated_people, capsys):
    load('benchmark_roi_loading').main(
        [
            *('--ann-file', str(generated_people / 'annotations/val.json')),
            *('--img-dir', str(generated_people / 'images/val')),
            *('--rois', '2', '4', '--samples', '4', '--rounds', '1'),
        ]
    )
    rows = read_table(capsys.readouterr().out)
    assert [row['loading'].split()[0] for row in rows] == ['one', '2', '4']
    assert rows[0]['ratio'] == '1'
    assert all(float(row['us a sample']) > 0 for row in rows)


def test_boxes(load, capsys):
    load('benchmark_boxes').main(['--counts', '50', '400', '--rounds', '1'])
    rows = read_table(capsys.readouterr().out)
    kinds = ('RPN-like', 'R-CNN-like')
    assert [(row['boxes'], row['number'], row['filter']) for row in rows] == [
        (kind, number, name)
        for kind in kinds
        for number in ('50', '400')
        for name in ('nms', 'soft_nms', 'GBG')
    ]
    for row in rows:
        ratio = float(row['ratio to nms'])
        assert ratio == 1 if row['filter'] == 'nms' else ratio > 0
        assert 0 < int(row['kept']) <= int(row['number'])


def test_posetrack(load, capsys):
    load('benchmark_posetrack').main(
        ['--sequences', '2', '--frames', '4', '--people', '3', '--hota']
    )
    printed = capsys.readouterr().out
    parts = ['reading the predictions', 'AP', 'AP and MOTA', 'AP, MOTA, HOTA and IDF1']
    assert [row['part'] for row in read_table(printed)] == parts
    assert 0 < float(printed.split()[-1]) <= 100


def test_tracking(load, capsys):
    load('benchmark_tracking').main(
        ['--people', '1', '4', '--frames', '4', '--rounds', '1']
    )
    rows = read_table(capsys.readouterr().out)
    assert [row['people'] for row in rows] == ['1'] * 5 + ['4'] * 5
    for row in rows:
        ratio = float(row['ratio to MMDetection SORT'])
        assert ratio == 1 if row['tracker'] == 'MMDetection SORT' else ratio > 0
        assert int(row['identities']) >= int(row['people']) - 1


def test_export(load, capsys):
    """ONNX takes longer to export; tests/tools/test_export.py does it."""
    config = 'configs/demo/td-ogn_res18-1deconv_1xb32-16e_generated-128x96.py'
    arguments = ['--formats', '.pt', '--people', '1', '2', '--rounds', '1']
    load('benchmark_export').main([str(FOLDER.parents[1] / config), *arguments])
    rows = read_table(capsys.readouterr().out)
    assert [(row['people'], row['runtime']) for row in rows] == [
        (people, name) for people in '12' for name in ('PyTorch', 'TorchScript')
    ]
    for row in rows:
        ratio = float(row['ratio to PyTorch'])
        assert ratio == 1 if row['runtime'] == 'PyTorch' else ratio > 0
