"""Mean OKS by kinds of people, against values computed by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import load_tool

NAMES = ['nose', 'neck', 'hip']


@pytest.fixture(scope='module')
def tool():
    return load_tool('analysis_tools/compare_people')


@pytest.fixture
def people(tmp_path):
    """Two people who overlap by an IoU of 1/3 and, elsewhere, a wide one alone."""
    boxes = [(1, [10, 10, 40, 100]), (1, [30, 10, 40, 100]), (2, [0, 0, 200, 100])]
    annotations = [
        dict(
            id=i + 1,
            image_id=image,
            category_id=1,
            bbox=box,
            area=box[2] * box[3],
            iscrowd=0,
            num_keypoints=3,
            keypoints=[box[0] + 5, 20, 2, box[0] + 10, 50, 2, box[0] + 15, 80, 2],
        )
        for i, (image, box) in enumerate(boxes)
    ]
    content = dict(
        images=[
            dict(id=i, width=320, height=240, file_name=f'{i}.jpg') for i in (1, 2)
        ],
        annotations=annotations,
        categories=[dict(id=1, name='person', keypoints=NAMES, skeleton=[])],
    )
    path = tmp_path / 'truth.json'
    path.write_text(json.dumps(content))
    return path, content


def write_results(path, content, shift=0, left_out=()):
    """The annotated poses, moved to the right; of some people none."""
    results = [
        dict(
            image_id=person['image_id'],
            category_id=1,
            keypoints=(np.array(person['keypoints']) + [shift, 0, 0] * 3).tolist(),
            score=0.9,
        )
        for person in content['annotations']
        if person['id'] not in left_out
    ]
    path.write_text(json.dumps(results))
    return str(path)


@pytest.fixture
def skeleton(tmp_path):
    """The option that names the three keypoints and their sigmas."""
    info = dict(
        dataset_name='three',
        keypoint_info={
            i: dict(name=name, id=i, color=[0, 0, 0], type='', swap='')
            for i, name in enumerate(NAMES)
        },
        skeleton_info={},
        joint_weights=[1.0] * 3,
        sigmas=[0.1] * 3,
    )
    path = tmp_path / 'three.py'
    path.write_text(f'dataset_info = {info!r}\n')
    return '--metainfo', str(path)


def rows(said):
    table = [line.strip('| ').split(' | ') for line in said.splitlines() if '|' in line]
    return {cells[0]: cells[1:] for cells in table[2:]}


def test_table(tool, people, skeleton, tmp_path, capsys):
    path, content = people
    perfect = write_results(tmp_path / 'a.json', content)
    moved = write_results(tmp_path / 'b.json', content, shift=8)
    tool.main([str(path), perfect, moved, *skeleton])
    said = capsys.readouterr().out
    assert f'(1) {perfect}\n(2) {moved}\n' in said
    found = rows(said)
    # exp(-8^2 / (2 area (2 sigma)^2)) for areas of 4000 and 20000
    near, far = (100 * np.exp(-64 / (2 * area * 0.04)) for area in (4000, 20000))
    assert found.keys() == {
        'all',
        'IoU with another 0 to 0.05',
        'IoU with another from 0.3',
        'width / height 0.35 to 0.6',
        'width / height from 0.9',
        'height 64 to 128',
    }
    for kind, number, oks in (
        ('all', '3', (2 * near + far) / 3),
        ('IoU with another from 0.3', '2', near),
        ('width / height from 0.9', '1', far),
    ):
        count, first, second = found[kind]
        assert (count, first) == (number, '100.0')
        assert second.startswith(f'{oks:.1f}, {oks - 100:+.1f} [')
    # all people of a kind in one image: nothing to draw from
    low = f'{near - 100:+.1f}'
    assert found['IoU with another from 0.3'][2].endswith(f'[{low}, {low}]')


def test_errors_name_file_and_field(tool, people, skeleton, tmp_path):
    path, content = people
    results = write_results(tmp_path / 'a.json', content)
    broken = tmp_path / 'broken.json'
    for text, message in (
        ('{', 'broken.json: is not JSON'),
        ('{"images": []}', 'broken.json: .*images'),
        ('{"images": [{"id": 1}], "categories": []}', 'broken.json: .*categories'),
    ):
        broken.write_text(text)
        with pytest.raises(SystemExit, match=message):
            tool.main([str(broken), results, *skeleton])
    broken.write_text('[{"image_id": 7}]')
    with pytest.raises(SystemExit, match='broken.json: prediction number 0: '):
        tool.main([str(path), str(broken), *skeleton])
    broken.write_text(
        Path(results).read_text().replace('"category_id": 1', '"category_id": 2')
    )
    with pytest.raises(
        SystemExit, match=r"'category_id' is not in .* 1 \('person'\), f"
    ):
        tool.main([str(path), str(broken), *skeleton])
    # the skeleton has to be the file's; by default it is COCO's
    with pytest.raises(SystemExit, match=r'truth.json: .*keypoints'):
        tool.main([str(path), results])
