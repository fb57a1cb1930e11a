"""The oracle against figures known by thought: in the ROI offsets lose nothing."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import load_tool

TOOLS = Path(__file__).parents[2] / 'tools/analysis_tools'


@pytest.fixture
def oracle(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    yield load_tool('analysis_tools/roi_oracle')
    sys.modules.pop('codec_oracle', None)


def write(path, outside=0):
    """A person in a box of 60 x 220 pixels, the first keypoints right of it."""
    keypoints = np.random.default_rng(0).uniform((16, 30), (64, 230), (17, 2))
    keypoints[:outside] = (90, 130)
    annotation = dict(
        id=1,
        image_id=1,
        category_id=1,
        bbox=[10, 20, 60, 220],
        area=9000,
        iscrowd=0,
        keypoints=np.c_[keypoints, np.full(17, 2)].ravel().tolist(),
        num_keypoints=17,
    )
    content = dict(
        images=[dict(id=1, file_name='a.jpg', width=300, height=300)],
        annotations=[annotation],
        categories=[dict(id=1, name='person')],
    )
    path.write_text(json.dumps(content))
    return str(path)


def read_rows(text):
    """By head, maps and padding: share outside, AP, AP inside, mean and largest."""
    lines = [line for line in text.splitlines() if line.startswith('| O')]
    cells = [[cell.strip() for cell in line.strip('|').split('|')] for line in lines]
    return {tuple(row[:3]): [float(cell) for cell in row[3:]] for row in cells}


def test_inside_the_roi_offsets_lose_nothing(oracle, tmp_path, capsys):
    oracle.main([write(tmp_path / 'a.json')])
    rows = read_rows(capsys.readouterr().out)
    assert len(rows) == 8
    for (head, size, padding), (outside, *_, mean, largest) in rows.items():
        assert outside == 0
        if head == 'OffsetKeypointHead':
            assert rows[head, size, padding][1:] == [100, 100, 0, 0]
            continue
        # away from the edges: half a pixel's diagonal and half a step of the refinement
        # 220 pixels high, 8:11 is 160 wide
        height, width = map(int, size.split('x'))
        box = np.array([60, 220]) if width == height else np.array([160, 220])
        pixel = box * float(padding) / [width, height]
        assert 0 < mean < largest <= np.hypot(*pixel) * (1 / 2 + 1 / 16)


def test_the_ratio_buys_keypoints_beside_the_box(oracle, tmp_path, capsys):
    """Four of 17 lie 20 pixels right of a narrow box, whose 8:11 is 160 wide."""
    oracle.main([write(tmp_path / 'a.json', outside=4), '--paddings', '1'])
    rows = read_rows(capsys.readouterr().out)
    for head in ('OneHotKeypointHead', 'OffsetKeypointHead'):
        plain, consistent = rows[head, '56x56', '1.0'], rows[head, '88x64', '1.0']
        assert plain[0] == pytest.approx(100 * 4 / 17, abs=0.1) and consistent[0] == 0
        assert plain[1] < plain[2] == consistent[1] == 100


def test_bad_input_is_named(oracle, tmp_path, capsys):
    (tmp_path / 'a.json').write_text('{}')
    with pytest.raises(
        SystemExit, match=r"roi_oracle: .*a\.json: field 'images' should be"
    ):
        oracle.main([str(tmp_path / 'a.json')])
    with pytest.raises(SystemExit):
        oracle.main([str(tmp_path / 'a.json'), '--paddings', '0'])
    assert '--paddings: 0.0 is not positive' in capsys.readouterr().err
