"""PoseTrack's sequences as COCO's: nothing is lost that could be trained on."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import load_tool
from mmpose.datasets import PoseTrack18Dataset
from tiny_sequences import (
    HEIGHT,
    WIDTH,
    annolist17,
    person,
    pose,
    sequence18,
    write,
    write_images,
)

from ogn_mm.datasets import CocoKeypointDetectionDataset, ValidatedCocoDataset
from ogn_mm.datasets.posetrack import read_sequence, sequences_to_coco
from ogn_mm.datasets.posetrack.coco import box_of_keypoints

convert_posetrack = load_tool('dataset_tools/convert_posetrack')
FIRST = 10_000_010_000
SKELETON = dict(from_file='configs/_base_/datasets/posetrack18.py')


def region(left, top, right, bottom):
    x, y = [left, right, right, left], [top, top, bottom, bottom]
    return dict(ignore_regions_x=[x], ignore_regions_y=[y])


@pytest.fixture
def convert(tmp_path):
    """COCO's dictionary of some sequences, whose images are made."""

    def run(*contents, **kwargs):
        sequences = []
        for content in contents:
            write_images(tmp_path, content)
            name = content['images'][0]['file_name'].split('/')[2]
            sequences.append(read_sequence(write(tmp_path / 'ann', name, content)))
        return sequences_to_coco(iter(sequences), tmp_path, **kwargs)

    return run


def test_images_people_and_ids(convert):
    people = [
        person(FIRST, 0, 7, bbox=[1, 2, 30, 40], person_id=9, bbox_head=[1, 2, 3, 4]),
        person(FIRST + 1, 0, 7, bbox=[1, 2, 30, 40]),
    ]
    second = [person(10_000_020_000, 0, 7, bbox=[1, 2, 3, 4])]
    coco, skipped, noted = convert(
        sequence18(people=people, f1=dict(is_labeled=False)),
        sequence18('000002_mpii_train', frames=1, people=second),
    )
    ids = [FIRST, FIRST + 2, 10_000_020_000]
    assert [image['id'] for image in coco['images']] == ids
    assert coco['images'][0] == dict(
        id=FIRST,
        file_name='images/train/000001_bonn_train/000000.jpg',
        width=WIDTH,
        height=HEIGHT,
        vid_id='000001_bonn_train',
    )
    one, other = coco['annotations']
    assert (one['track_id'], one['person_id'], one['id']) == (7, 9, 100 * FIRST)
    assert one['bbox'] == [1, 2, 30, 40] and one['bbox_head'] == [1, 2, 3, 4]
    assert one['area'] == pytest.approx(0.53 * 1200)
    assert one['num_keypoints'] == 15 and one['keypoints'][:3] == [10, 20, 2]
    assert one['iscrowd'] == 0 and one['category_id'] == 1
    assert other['image_id'] == 10_000_020_000
    assert skipped == {'frames without labels': 1, 'people in frames without labels': 1}
    assert not noted


def test_people_in_ignore_regions_are_out(convert):
    people = [
        person(FIRST, 0, 0, pose(x=2, y=2)),  # all of them inside
        person(FIRST, 1, 1, pose(x=15, y=2), bbox=[0, 0, 40, 40]),  # some
        person(FIRST, 2, 2, pose(x=2, y=30), bbox=[1, 1, 9, 9]),  # the box only
        person(FIRST, 3, 3, np.zeros((17, 3)), bbox=[1, 1, 9, 9]),  # without keypoints
        person(FIRST, 4, 4, np.zeros((17, 3)), bbox=[40, 30, 9, 9]),
        person(FIRST + 1, 0, 0, pose(x=2, y=2)),  # in another frame
    ]
    coco, skipped, noted = convert(sequence18(people=people, f0=region(0, 0, 20, 20)))
    *found, crowd = coco['annotations']
    assert [(p['image_id'] - FIRST, p['track_id']) for p in found] == [
        (0, 1),
        (0, 2),
        (0, 4),
        (1, 0),
    ]
    # x of the second is 15, 16, 17, 18 and 19 at the absent ears, 20, ...
    keypoints = np.reshape(found[0]['keypoints'], (17, 3))
    assert not keypoints[:5].any() and (keypoints[5:, 2] == 2).all()
    assert [p['num_keypoints'] for p in found] == [12, 15, 0, 15]
    assert skipped == {'people in ignore regions': 2, 'keypoints in ignore regions': 3}
    assert noted == {'people whose box is made of their keypoints': 2}
    # the region is there twice, for detectors as a crowd
    assert coco['images'][0]['ignore_regions_x'] == [[0, 20, 20, 0]]
    assert 'ignore_regions_x' not in coco['images'][1]
    assert crowd['iscrowd'] == 1 and crowd['bbox'] == [0, 0, 20, 20]
    assert crowd['segmentation'] == [[0, 0, 20, 0, 20, 20, 0, 20]]
    assert crowd['image_id'] == FIRST
    assert crowd['id'] not in [p['id'] for p in found]


def test_boxes_made_of_keypoints(convert):
    joints = np.zeros((17, 3))
    assert box_of_keypoints(joints) == [0, 0, 0, 0]
    joints[[0, 7]] = (10, 20, 2), (30, 60, 1)
    # 20 and 40 long, 1.5 and 3 more at each end
    assert box_of_keypoints(joints) == pytest.approx([8.5, 17, 23, 46])
    people = [
        person(FIRST, 0, 0, joints),
        person(FIRST, 1, 1, joints * (1, 0, 1) + (0, 9, 0)),  # at one height
        person(FIRST, 2, 2, np.zeros((17, 3))),
    ]
    coco, skipped, noted = convert(sequence18(people=people))
    (one,) = coco['annotations']
    assert one['bbox'] == pytest.approx([8.5, 17, 23, HEIGHT - 17])
    assert skipped == {'people without box': 2}


def test_2017_comes_out_like_2018(tmp_path):
    content = annolist17([[(0, pose()), (4, pose(y=30))]])
    image = tmp_path / content['annolist'][0]['image'][0]['name']
    write_images(tmp_path, dict(images=[dict(id=0, file_name=image)]))
    sequence = read_sequence(write(tmp_path / 'ann', '020910_mpii', content))
    coco, _, _ = sequences_to_coco([sequence], tmp_path)
    assert [p['track_id'] for p in coco['annotations']] == [0, 4]
    joints = np.reshape(coco['annotations'][1]['keypoints'], (17, 3))
    np.testing.assert_array_equal(joints[:, :2], pose(y=30)[:, :2])


def test_test_sequences_without_labels(convert):
    content = sequence18(f0=dict(is_labeled=False), frames=1)
    del content['annotations'], content['categories']
    with pytest.raises(ValueError, match='no frame is labelled'):
        convert(content)
    coco, _, _ = convert(content, with_unlabelled=True)
    assert len(coco['images']) == 1 and coco['annotations'] == []


def test_errors(convert, tmp_path):
    with pytest.raises(ValueError, match=f"image id {FIRST}: 'id' is in two sequences"):
        convert(sequence18(), sequence18('000001_mpii_train'))
    image = tmp_path / 'images/train/000001_bonn_train/000001.jpg'
    sequence = read_sequence(tmp_path / 'ann/000001_bonn_train.json')
    image.write_bytes(b'no picture')
    with pytest.raises(ValueError, match=r'000001\.jpg: cannot be read as an image'):
        sequences_to_coco([sequence], tmp_path)
    image.unlink()
    with pytest.raises(FileNotFoundError, match=r'bonn_train\.json: 1 of 3 images do'):
        sequences_to_coco([sequence], tmp_path)


@pytest.fixture
def released(tmp_path):
    """A folder as PoseTrack 2018 comes, of two sequences."""
    for number in (1, 2):
        first = 10_000_000_000 + 10_000 * number
        people = [person(first + i, 0, 5) for i in range(2)]
        content = sequence18(f'00000{number}_mpii_train', people=people, frames=2)
        write(tmp_path / 'annotations/train', f'00000{number}_mpii_train', content)
        write_images(tmp_path, content)
    return tmp_path


def convert_by_tool(root, out='posetrack18_train.json'):
    folder = root / 'annotations'
    paths = (folder / 'train', '--images', root, '--out', folder / out)
    convert_posetrack.main(list(map(str, paths)))


def test_every_reader_reads_what_the_tool_writes(released, capsys):
    convert_by_tool(released)
    report = capsys.readouterr().out.splitlines()[-1]
    assert report.endswith(
        'posetrack18_train.json: 4 images, 4 people; '
        'kept 4 people whose box is made of their keypoints'
    )
    ann_file = str(released / 'annotations/posetrack18_train.json')
    kwargs = dict(ann_file=ann_file, data_prefix=dict(img=str(released)))
    for dataset in (
        PoseTrack18Dataset(**kwargs),
        ValidatedCocoDataset(metainfo=SKELETON, **kwargs),
    ):
        assert len(dataset) == 4
        assert Path(dataset[0]['img_path']).exists()
        assert dataset[0]['keypoints'].shape == (1, 17, 2)
    dataset = CocoKeypointDetectionDataset(metainfo=SKELETON, **kwargs)
    assert len(dataset) == 4 and len(dataset[0]['instances']) == 1


def test_detectors_get_ignore_regions_as_boxes_to_ignore(convert, tmp_path):
    coco, _, _ = convert(
        sequence18(people=[person(FIRST, 0, 0)], f0=region(30, 5, 60, 25), frames=1)
    )
    (tmp_path / 'coco.json').write_text(json.dumps(coco))
    dataset = CocoKeypointDetectionDataset(
        ann_file=str(tmp_path / 'coco.json'),
        data_prefix=dict(img=str(tmp_path)),
        metainfo=SKELETON,
        pipeline=[
            dict(type='mmdet.LoadImageFromFile'),
            dict(type='mmdet.LoadKeypointAnnotations'),
            dict(type='mmdet.PackKeypointInputs', meta_keys=()),
        ],
    )
    sample = dataset[0]['data_samples']
    assert len(sample.gt_instances) == 1
    boxes = sample.ignored_instances.bboxes.tensor
    assert boxes.tolist() == [[30, 5, 60, 25]]


def test_errors_of_the_tool_are_one_line(released):
    path = released / 'annotations/train/000002_mpii_train.json'
    content = json.loads(path.read_text())
    content['annotations'][0]['track_id'] = 'x'
    path.write_text(json.dumps(content))
    with pytest.raises(
        SystemExit, match=r'convert_posetrack: .*000002_mpii_train\.json: annotation id'
    ):
        convert_by_tool(released)
    assert not (released / 'annotations/posetrack18_train.json').exists()
    with pytest.raises(SystemExit, match='would lie among the sequences'):
        convert_by_tool(released, out='train/all.json')
    with pytest.raises(SystemExit, match='--out should be a file, found a folder'):
        convert_by_tool(released, out='')
