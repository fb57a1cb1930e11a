"""A skeleton's description from the files of annotation tools, ready for a data set."""

import json

import cv2
import numpy as np
import pytest
from conftest import load_tool
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from ogn_mm.datasets import ValidatedCocoDataset
from ogn_mm.engine.skeletons import check_metainfo

NAMES = ['tip', 'left end', 'right end']
KEYPOINTS = [32, 10, 2, 12, 40, 2, 0, 0, 0]
LINKS = [[1, 2], [1, 3]]
BOX = [8.0, 6.0, 40.0, 40.0]


@pytest.fixture(scope='module')
def tool():
    return load_tool('dataset_tools/write_metainfo')


@pytest.fixture
def write(tool, tmp_path, capsys):
    """Writes annotations and runs the tool; gives the file written, and what is said.

    An error is what it raises as ValueError.
    """

    def write(content, *arguments):
        path = tmp_path / 'arrows.json'
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        out = tmp_path / 'skeleton.py'
        try:
            tool.main([str(path), '--out', str(out), *arguments])
        except SystemExit as end:
            raise ValueError(end.code) from end
        return str(out), capsys.readouterr().out

    return write


def annotations(categories, people, first=1):
    """COCO's content; ids of images and annotations count from ``first``."""
    return dict(
        images=[dict(id=first, file_name='a.png', width=64, height=48)],
        annotations=[
            dict(id=first + i, image_id=first, **person)
            for i, person in enumerate(people)
        ],
        categories=categories,
    )


def posed(category, box=BOX, **fields):
    return dict(
        category_id=category,
        keypoints=KEYPOINTS,
        num_keypoints=2,
        bbox=box,
        iscrowd=0,
        **fields,
    )


def datumaro():
    """A category is the label's place + 1; other labels list no keypoints."""
    labels = [('box', [], []), ('arrow', NAMES, LINKS)]
    categories = [
        dict(id=1 + i, name=name, supercategory='', keypoints=names, skeleton=links)
        for i, (name, names, links) in enumerate(labels)
    ]
    return annotations(categories, [posed(2, area=1600.0, segmentation=[])])


def label_studio():
    """All ids from 0, no areas of poses, no links, a tight box."""
    category = dict(id=0, name='default', supercategory='default')
    category |= dict(keypoints=NAMES, skeleton=[])
    return annotations([category], [posed(0, [12, 10, 20, 30])], first=0)


def label_studio_with_boxes():
    """Boxes are annotations of another category, beside the poses."""
    content = label_studio()
    content['categories'][0]['id'] = 1
    content['categories'].insert(0, dict(id=0, name='arrow'))
    (pose,) = content['annotations']
    box = dict(category_id=0, bbox=BOX, area=1600.0, iscrowd=0, ignore=0)
    content['annotations'] = [
        dict(box, id=0, image_id=0, segmentation=[]),
        dict(pose, id=1, category_id=1),
    ]
    return content


def sleap_io():
    """A category is a skeleton; boxes are those of the keypoints."""
    category = dict(id=1, name='arrow', keypoints=NAMES, skeleton=LINKS)
    return annotations([category], [posed(1, [12.0, 10.0, 20.0, 30.0], area=600.0)])


def roboflow():
    """A category above all others, which nobody is of."""
    categories = [
        dict(id=0, name='arrows', supercategory='none'),
        dict(id=1, name='arrow', supercategory='arrows'),
    ]
    categories[1] |= dict(keypoints=NAMES, skeleton=LINKS)
    people = [posed(1, area=1600.0, segmentation=[])]
    return annotations(categories, people, first=0)


@pytest.mark.parametrize(
    'make', [datumaro, label_studio, label_studio_with_boxes, sleap_io, roboflow]
)
def test_from_an_annotation_tool_to_training(make, write, tmp_path):
    content = make()
    skeleton, _ = write(content)
    metainfo = parse_pose_metainfo(dict(from_file=skeleton))
    check_metainfo(metainfo)
    assert metainfo['dataset_name'] == 'skeleton'
    assert [metainfo['keypoint_id2name'][i] for i in range(3)] == NAMES
    assert list(metainfo['flip_indices']) == [0, 2, 1]
    links = [] if 'studio' in make.__name__ else [(0, 1), (0, 2)]
    assert metainfo['skeleton_links'] == links
    np.testing.assert_equal(metainfo['dataset_keypoint_weights'], np.ones(3))
    np.testing.assert_allclose(metainfo['sigmas'], [0.05] * 3)

    cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((48, 64, 3), np.uint8))
    dataset = ValidatedCocoDataset(
        ann_file=str(tmp_path / 'arrows.json'),
        data_prefix=dict(img=str(tmp_path)),
        metainfo=dict(from_file=skeleton),
    )
    assert len(dataset) == 1 and not dataset.noted
    assert sum(dataset.skipped.values()) == (make is label_studio_with_boxes)
    (pose,) = dataset[0]['keypoints']
    assert pose.tolist() == [[32, 10], [12, 40], [0, 0]]
    assert dataset[0]['keypoints_visible'].tolist() == [[1, 1, 0]]
    x, y, width, height = content['annotations'][-1]['bbox']
    assert dataset[0]['bbox'].tolist() == [[x, y, x + width, y + height]]


@pytest.mark.parametrize(
    'left, right',
    [
        ('left_eye', 'right_eye'),
        ('Left Eye', 'Right Eye'),
        ('eye-left', 'eye-right'),
        ('eyeleft', 'eyeright'),
        ('LEFTEYE', 'RIGHTEYE'),
        ('l_eye', 'r_eye'),
        ('L_Eye', 'R_Eye'),
        ('eye.l', 'eye.r'),
        ('lEye', 'rEye'),
        ('LEye', 'REye'),
        ('eyeL', 'eyeR'),
        ('forelegL1', 'forelegR1'),
        ('L', 'R'),
        ('left_eye_left_end', 'right_eye_right_end'),
        ('bright_left', 'bleft_right'),
    ],
)
def test_mirror_pairs(tool, left, right):
    names = ['nose', right, 'tail', left]
    assert tool.find_twins(names) == ['', left, '', right]
    if left != 'bright_left':
        assert tool.find_sides(names) == ['middle', 'right', 'middle', 'left']


@pytest.mark.parametrize(
    'names',
    [
        ['left_eye', 'right_ear'],
        ['eel', 'eer'],
        ['tall', 'tarr'],
        ['left', 'Left', 'right'],
        ['left_eye', 'right eye', 'right_eye'],
    ],
    ids=str,
)
def test_no_mirror_pairs(tool, names):
    """Names without a twin, or with more than one."""
    assert not any(tool.find_twins(names))


def test_what_is_said(write):
    content = datumaro()
    content['categories'][1]['keypoints'] = ['left_tip', 'left end', 'right end']
    out, words = write(content)
    assert words.splitlines()[:3] == [
        f'{out}: 3 keypoints, 2 links',
        'mirror pairs: left end/right end',
        'without a twin in the mirror: left_tip',
    ]
    assert words.splitlines()[3].startswith('warning: sigmas are 0.05 for every')


def test_links_from_0(write):
    content = datumaro()
    content['categories'][1]['skeleton'] = [[0, 2], [2, 1]]
    out, words = write(content)
    assert 'links: counted from 0 in the file' in words
    links = parse_pose_metainfo(dict(from_file=out))['skeleton_links']
    assert links == [(0, 2), (2, 1)]


def test_several_categories(write, tmp_path):
    """One of them is chosen, unless all have the same keypoints."""
    content = datumaro()
    content['categories'].append(dict(content['categories'][1], id=9, name='dart'))
    out, _ = write(content)
    (tmp_path / 'skeleton.py').unlink()
    content['categories'][2]['keypoints'] = ['feather', 'point', 'shaft']
    expected = r"arrows\.json: --category should be one of .*, 'arrow', 'dart'$"
    for arguments in ([], ['--category', 'box'], ['--category', 'bow']):
        with pytest.raises(ValueError, match=expected):
            write(content, *arguments)
    out, _ = write(content, '--category', 'dart')
    names = parse_pose_metainfo(dict(from_file=out))['keypoint_name2id']
    assert list(names) == ['feather', 'point', 'shaft']


def test_names_are_text(write):
    """Whatever a file's names hold, the config does no more than name them."""
    names = ["it's", '"""', "'),\nopen('x', 'w')", 'Шея', '\\', '{x}']
    content = sleap_io()
    content['categories'][0] |= dict(keypoints=names, name="a'\nraise SystemExit")
    out, _ = write(content)
    assert list(parse_pose_metainfo(dict(from_file=out))['keypoint_name2id']) == names


def test_a_file_is_not_written_over(write, tmp_path):
    out, _ = write(datumaro())
    before = (tmp_path / 'skeleton.py').read_text()
    with pytest.raises(ValueError, match=r'--out .*skeleton\.py: exists'):
        write(sleap_io())
    assert (tmp_path / 'skeleton.py').read_text() == before
    with pytest.raises(ValueError, match=r'--out .*\.json: .* end on \.py'):
        write(sleap_io(), '--out', str(tmp_path / 'skeleton.json'))


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(keypoints=[]), 'no category lists the names'),
        (dict(keypoints=None), 'no category lists the names'),
        (dict(keypoints=[1, 2, 3]), 'no category lists the names'),
        (dict(keypoints=['a', 'b', 'a']), "different names, found 'a', more than once"),
        (dict(keypoints=['a', ' ', 'b']), "different names, found ' ', which is empty"),
        (dict(skeleton=[[1, 4]]), r'numbers from 1 to 3, found \[1, 4\]'),
        (dict(skeleton=[[0, 3]]), r'numbers from 0 to 2, found \[0, 3\]'),
        (dict(skeleton=[[1, 1]]), r'pairs of different numbers .*, found \[1, 1\]'),
        (
            dict(skeleton=[[1, 2, 3]]),
            r'pairs of different numbers .*, found \[1, 2, 3\]',
        ),
        (dict(skeleton=['ab']), "pairs of different numbers .*, found 'ab'"),
        (dict(skeleton=[[True, 2]]), 'pairs of different numbers'),
        (dict(skeleton=[['a', 'b']]), 'pairs of different numbers'),
        (dict(name=3), "category id 1: 'name' should be str"),
    ],
    ids=str,
)
def test_unusable_categories(write, tmp_path, change, message):
    content = sleap_io()
    content['categories'][0] |= change
    with pytest.raises(ValueError, match=rf'arrows\.json: .*{message}') as error:
        write(content)
    assert '\n' not in str(error.value)
    assert not (tmp_path / 'skeleton.py').exists()


@pytest.mark.parametrize('content', ['', '[]', '{}', '{"categories": [3]}'])
def test_unusable_files(write, content):
    with pytest.raises(ValueError, match=r'write_metainfo: .*arrows\.json: '):
        write(content)
