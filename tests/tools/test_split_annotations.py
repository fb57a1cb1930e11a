import json

import pytest
from conftest import load_tool


@pytest.fixture
def split(capsys):
    """Runs the tool; gives its status and what it wrote to stderr."""
    tool = load_tool('dataset_tools/split_annotations')

    def run(*arguments):
        try:
            tool.main([str(argument) for argument in arguments])
        except SystemExit as end:
            if end.code == 2:  # argparse has said why
                return end.code, capsys.readouterr().err
            return 1, end.code
        return 0, capsys.readouterr().err

    return run


@pytest.fixture
def source(tmp_path):
    coco = dict(
        info=dict(year=2024),
        images=[dict(id=5 * i, file_name=f'{i}.jpg') for i in range(20)],
        annotations=[
            dict(id=i, image_id=5 * (i % 19), keypoints=[i]) for i in range(40)
        ],
        categories=[dict(id=1, name='person')],
    )
    path = tmp_path / 'all.json'
    path.write_text(json.dumps(coco))
    return path


def test_splits_are_disjoint_whole_and_repeatable(split, source, tmp_path):
    coco = json.loads(source.read_text())
    sizes = ('--sizes', 'fit=13', 'dev=6')
    for folder in ('a', 'b'):
        assert split(source, '--out', tmp_path / folder, *sizes)[0] == 0
    parts = []
    for name, size in (('fit', 13), ('dev', 6)):
        path = tmp_path / 'a' / f'{name}.json'
        assert path.read_bytes() == (tmp_path / 'b' / f'{name}.json').read_bytes()
        part = json.loads(path.read_text())
        assert len(part['images']) == size
        ids = {image['id'] for image in part['images']}
        # entries and their order are the source's, nothing of an image is lost
        assert part['images'] == [i for i in coco['images'] if i['id'] in ids]
        expected = [a for a in coco['annotations'] if a['image_id'] in ids]
        assert part['annotations'] == expected
        assert part['info'] == coco['info']
        assert part['categories'] == coco['categories']
        parts.append(ids)
    assert not parts[0] & parts[1]
    assert sorted(path.name for path in (tmp_path / 'a').iterdir()) == [
        'dev.json',
        'fit.json',
    ]

    other = ('--seed', 1, '--out', tmp_path / 'c')
    assert split(source, *sizes, *other)[0] == 0
    chosen = json.loads((tmp_path / 'c' / 'fit.json').read_text())['images']
    assert {image['id'] for image in chosen} != parts[0]


def test_errors_name_file_and_cause(split, source, tmp_path):
    (tmp_path / 'broken.json').write_text('{"images": [')
    (tmp_path / 'results.json').write_text('[]')
    (tmp_path / 'lost.json').write_text(
        json.dumps(dict(images=[dict(id=1)], annotations=[dict(id=1, image_id=2)]))
    )
    (tmp_path / 'twice.json').write_text(
        json.dumps(dict(images=[dict(id=1), dict(id=1)], annotations=[]))
    )
    (tmp_path / 'number.json').write_text('{"images": [1], "annotations": []}')
    for name, size, message in (
        ('number.json', 'a=1', "number.json: image number 0: field 'id' is missing"),
        ('none.json', 'a=1', 'none.json: there is no such file'),
        ('broken.json', 'a=1', 'broken.json: is not JSON'),
        ('results.json', 'a=1', 'results.json: should be a JSON object'),
        ('lost.json', 'a=1', "lost.json: annotation id 1: 'image_id' is unknown"),
        ('twice.json', 'a=1', "twice.json: image id 1: 'id' is not unique"),
        ('all.json', 'a=21', 'sizes ask for 21 images, there are 20'),
        ('all.json', 'a=0', 'expected NAME=COUNT'),
        ('all.json', '../a=3', 'expected NAME=COUNT'),
    ):
        out = tmp_path / 'out'
        status, said = split(tmp_path / name, '--out', out, '--sizes', size)
        assert status != 0
        assert message in said
        assert not out.exists()

    _, said = split(source, '--out', tmp_path, '--sizes', 'all=3')
    assert 'would overwrite its source' in said
    _, said = split(source, '--out', tmp_path, '--sizes', 'a=3', 'a=4')
    assert 'a name is used twice' in said
