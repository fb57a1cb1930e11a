"""The printed transform errs as the detector did."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from conftest import load_tool
from mmpose.registry import TRANSFORMS

from ogn_mm.structures.bbox import apply_box_errors, box_errors

MEAN = np.array([0.01, -0.03, 0.05, -0.08])
SPREAD = np.array([0.03, 0.02, 0.06, 0.05])


@pytest.fixture(scope='module')
def tool():
    return load_tool('dataset_tools/fit_box_errors')


@pytest.fixture
def files(tmp_path):
    """400 people, each alone; 300 with detections, one, three, one, three, ..."""
    rng = np.random.default_rng(0)
    boxes = np.tile([40.0, 30, 90, 130], (400, 1))
    images, people, found = [], [], []
    for i, (x1, y1, x2, y2) in enumerate(boxes.tolist(), 1):
        images.append(dict(id=i, file_name=f'{i}.jpg', width=200, height=200))
        person = dict(id=i, image_id=i, category_id=1, area=2500, iscrowd=0)
        person |= dict(bbox=[x1, y1, x2 - x1, y2 - y1], keypoints=[60, 60, 2] * 17)
        people.append(person | dict(num_keypoints=17))
        for _ in range(1 + i % 2 * 2 if i <= 300 else 0):
            # those of three have twice the mean
            errors = rng.normal(MEAN * (1 + i % 2), SPREAD)
            box = apply_box_errors(boxes[i - 1], errors)
            box[2:] -= box[:2]
            found.append(
                dict(image_id=i, category_id=1, bbox=box.tolist(), score=rng.random())
            )
    coco = dict(
        images=images, annotations=people, categories=[dict(id=1, name='person')]
    )
    paths = tmp_path / 'people.json', tmp_path / 'found.json'
    for path, content in zip(paths, (coco, found), strict=True):
        path.write_text(json.dumps(content))
    return [str(path) for path in paths]


def test_printed_config_builds_and_errs_alike(tool, files, capsys):
    tool.main([*files, '--share', '0.8'])
    printed = capsys.readouterr().out
    config = eval(printed[printed.index('dict(') :])[0]
    assert config['share'] == pytest.approx(0.8 * 0.75)
    # each person counts once: halfway between the two kinds
    np.testing.assert_allclose(config['mean'], MEAN * 1.5, atol=0.01)
    np.testing.assert_allclose(
        np.sqrt(np.diag(config['covariance'])), np.hypot(SPREAD, MEAN / 2), rtol=0.15
    )
    transform = TRANSFORMS.build(dict(config, type=f'mmpose.{config["type"]}', share=1))
    box = np.float32([[0, 0, 50, 100]])
    np.random.seed(0)  # noqa: NPY002
    drawn = np.concatenate([transform(dict(bbox=box))['bbox'] for _ in range(3000)])
    errors = box_errors(box.astype(float), drawn)
    np.testing.assert_allclose(errors.mean(0), config['mean'], atol=0.01)
    np.testing.assert_allclose(np.cov(errors.T), config['covariance'], atol=1e-3)


def test_errors_name_the_tool_and_the_file(tool, files):
    with pytest.raises(SystemExit, match=r'fit_box_errors: .*nowhere\.json: there is'):
        tool.main([files[0], 'nowhere.json'])
    Path(files[1]).write_text(json.dumps(json.loads(Path(files[1]).read_text())[:3]))
    with pytest.raises(SystemExit, match=r'found\.json: at least 5 matched det'):
        tool.main(files)


@pytest.mark.parametrize(
    'text, message',
    [
        ('[1]', 'is no box filter: cfg should be a dict'),
        ('{"type": "nothing"}', 'is no box filter: .*nothing is not in the'),
        ('{"type": "mmdet.BoxNMS", "x": 1}', "unexpected keyword argument 'x'"),
        ('{"type": "mmdet.BoxNMS", "iou_threshold": "a"}', "from 0 to 1, got 'a'"),
    ],
)
def test_faulty_filters(tool, files, capsys, text, message):
    with pytest.raises(SystemExit):
        tool.main([*files, '--filter', text])
    assert re.search(f'argument --filter: .*{message}', capsys.readouterr().err)
    with pytest.raises(SystemExit):
        tool.main([*files, '--share', '2'])
