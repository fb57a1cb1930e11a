from importlib.metadata import version

import pytest
import torch

from ogn_mm.engine.provenance import format_circumstances, package_versions


def test_circumstances_are_told_once():
    first = dict(commit='a1', dirty=False, versions=dict(torch='2'), device='CPU')
    second = dict(first, commit='b2', dirty=True, precision='bfloat16')
    assert format_circumstances([first, second, first], 'python x.py') == (
        '\n- Command: python x.py'
        '\n- Commit: a1; b2 (changed)'
        '\n- Versions: torch 2'
        '\n- Device: CPU'
        '\n- Precision of the training: bfloat16'
    )
    assert format_circumstances([first]).splitlines()[1:] == [
        '- Commit: a1',
        '- Versions: torch 2',
        '- Device: CPU',
    ]


@pytest.mark.parametrize('used', [False, True])
def test_versions_of_all_that_studies_need(used, monkeypatch):
    monkeypatch.setattr(torch.version, 'cuda', '12.6')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: used)
    versions = package_versions()
    assert versions.pop('CUDA', None) == ('12.6' if used else None)
    assert versions.keys() == {
        *('torch', 'torchvision', 'mmpose', 'mmdet', 'mmcv', 'mmengine', 'numpy')
    }
    assert versions['mmdet'] == version('mmdet')


def test_versions_of_older_records_stand_beside_newer_ones():
    older = dict(commit='a1', dirty=False, versions=dict(torch='2'), device='CPU')
    newer = dict(older, versions=dict(torch='2', mmdet='3', CUDA='12.6'))
    assert '\n- Versions: torch 2; torch 2, mmdet 3, CUDA 12.6\n' in (
        format_circumstances([newer, older])
    )
