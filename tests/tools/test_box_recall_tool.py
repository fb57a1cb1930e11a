"""The report on people and boxes that can be counted."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import load_tool


@pytest.fixture(scope='module')
def tool():
    return load_tool('analysis_tools/box_recall')


def write(folder, people, detections):
    """Boxes [x, y, w, h] of one image's people, and those found, with scores."""
    annotations = [
        dict(dict(id=i, image_id=5, category_id=1, iscrowd=0), **person)
        for i, person in enumerate(people)
    ]
    images = [dict(id=5), dict(id=6)]
    (folder / 'ann.json').write_text(
        json.dumps(dict(images=images, annotations=annotations))
    )
    found = [
        dict(dict(image_id=5, category_id=1), bbox=box, score=score)
        for box, score in detections
    ]
    (folder / 'found.json').write_text(json.dumps(found))
    return [str(folder / 'ann.json'), str(folder / 'found.json')]


def test_report(tool, tmp_path):
    """Two people, IoU 0.8: NMS loses one of them, GBG and no NMS find both."""
    people = [dict(bbox=[0, 0, 100, 100]), dict(bbox=[0, 0, 100, 80])]
    people += [dict(bbox=[500, 500, 9, 9], iscrowd=1)]
    paths = write(
        tmp_path,
        people,
        [([0, 0, 100, 80], 0.85), ([0, 0, 100, 100], 0.9), ([300, 0, 50, 50], 0.5)],
    )
    tool.main([*paths, '--out', str(tmp_path / 'report'), '--max-boxes', '12'])
    results = json.loads((tmp_path / 'report/box_recall.json').read_text())
    recall = {name: result['recall']['0.9'][-1] for name, result in results.items()}
    assert recall['NMS 0.5'] == recall['NMS 0.7'] == 0.5
    assert recall['GBG'] == recall['none'] == 1
    # the second image has no boxes
    assert results['GBG']['kept'] == 1 and results['none']['kept'] == 1.5
    assert results['none']['boxes'] == pytest.approx([0.5, 1] + [1.5] * 10)
    assert results['none']['recall']['0.5'] == pytest.approx([0.5] + [1] * 11)
    table = (tmp_path / 'report/box_recall.md').read_text()
    assert '| none | 1.5 | 1.5: 100.0 / 100.0 / 100.0 |' in table
    assert (tmp_path / 'report/box_recall.png').stat().st_size > 10000


def test_detections_come_by_falling_score(tool, tmp_path):
    paths = write(
        tmp_path,
        [dict(bbox=[0, 0, 1, 1])],
        [([0, 0, 1, 1], 0.1), ([2, 2, 1, 3], 0.9), ([4, 4, 1, 1], 0.5)],
    )
    people, boxes, scores = tool.load(*paths)
    assert [len(image) for image in people] == [1, 0]
    assert scores[0].tolist() == pytest.approx([0.9, 0.5, 0.1]) and len(boxes[1]) == 0
    np.testing.assert_array_equal(boxes[0][0], [2, 2, 3, 5])


def test_people_are_of_the_category_with_keypoints(tool, tmp_path):
    ann, found = write(
        tmp_path,
        [dict(bbox=[0, 0, 1, 1]), dict(bbox=[0, 0, 2, 2], category_id=3)],
        [([0, 0, 1, 1], 0.1)],
    )
    content = json.loads(Path(ann).read_text())
    content['annotations'][1]['keypoints'] = [1, 1, 2]
    content['categories'] = [dict(id=1, name='person'), dict(id=3, name='cat')]
    Path(ann).write_text(json.dumps(content))
    with pytest.raises(SystemExit, match=r"has the 'category_id' .* 3 \('cat'\)"):
        tool.main([ann, found])
    detections = json.loads(Path(found).read_text())
    Path(found).write_text(json.dumps([dict(detections[0], category_id=3)]))
    people, boxes, _ = tool.load(ann, found)
    assert people[0].tolist() == [[0, 0, 2, 2]] and boxes[0].tolist() == [[0, 0, 1, 1]]


@pytest.mark.parametrize(
    'person, message',
    [
        (dict(bbox=[1, 2, 3]), r"ann\.json: annotation id 0: 'bbox' should be 4"),
        (dict(bbox=[1, 2, 3, 4], image_id=9), r"ann\.json: .*'image_id' is unknown"),
        (dict(bbox=[1, 2, 3, 4], category_id=None), "'category_id' should be int"),
        (
            dict(bbox=[1, 2, 3, 4], category_id=2),
            r"holds nobody of category 1 \('person'\) who",
        ),
    ],
)
def test_faulty_annotations(tool, tmp_path, person, message):
    paths = write(tmp_path, [person], [([0, 0, 1, 1], 0.5)])
    with pytest.raises(SystemExit, match=message):
        tool.main(paths)


def test_faulty_parameters(tool, tmp_path):
    paths = write(tmp_path, [dict(bbox=[0, 0, 1, 1])], [([0, 0, 1, 1], 0.5)])
    with pytest.raises(SystemExit, match=r'box_recall: .*nothing'):
        tool.main([*paths, '--gbg', '{"nothing": 1}'])
    with pytest.raises(SystemExit, match=r"box_recall: --gbg: min_size .* got 'a'"):
        tool.main([*paths, '--gbg', '{"min_size": "a"}'])
    with pytest.raises(SystemExit, match='2'):
        tool.main([*paths, '--gbg', '[1]'])
    with pytest.raises(SystemExit, match=r'box_recall: .*File exists'):
        tool.main([*paths, '--out', paths[0]])
