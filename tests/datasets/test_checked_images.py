"""Broken images in training and testing: an error, or a counted skip."""

import json
import shutil
from collections import Counter

import pytest
from mmengine.registry import DefaultScope
from torch.utils.data import DataLoader

from ogn_mm.datasets import (
    CocoKeypointDetectionDataset,
    ImageROIDataset,
    ValidatedCocoDataset,
    checked_images,
)
from ogn_mm.datasets.images import BrokenImageError
from ogn_mm.datasets.transforms import use_checked_images


def keep_path(results):
    """What a worker sends back."""
    return dict(img_path=results['img_path'])


POSE = [dict(type='SeedAugmentation'), dict(type='LoadImage'), keep_path]
BOXES = [dict(type='LoadImageFromFile'), keep_path]


@pytest.fixture
def people(generated_people, tmp_path):
    """Root of a copy of which an image is cut off, and the image's path."""
    root = tmp_path / 'dös 图 %20'
    shutil.copytree(generated_people, root)
    image = root / 'images/train/000003.jpg'
    assert image.exists()
    image.write_bytes(image.read_bytes()[:-50])
    return root, str(image)


def load(root, pipeline=POSE, cls=ValidatedCocoDataset, **options):
    scope = 'mmdet' if cls is CocoKeypointDetectionDataset else 'mmpose'
    with DefaultScope.overwrite_default_scope(scope):
        return cls(
            data_root=str(root),
            ann_file='annotations/train.json',
            data_prefix=dict(img='images/train/'),
            pipeline=pipeline,
            **options,
        )


CLASSES = pytest.mark.parametrize(
    'cls, pipeline',
    [(ValidatedCocoDataset, POSE), (CocoKeypointDetectionDataset, BOXES)],
)


@CLASSES
def test_error_names_the_image(people, cls, pipeline):
    root, image = people
    for options in (dict(), dict(test_mode=True, skip_broken_images=True)):
        dataset = load(root, pipeline, cls, **options)
        with pytest.raises(BrokenImageError, match=f'{image}: is cut off$'):
            list(DataLoader(dataset, collate_fn=list))


@CLASSES
def test_skipped_and_counted(people, cls, pipeline, tmp_path, monkeypatch):
    """Once each, in however many epochs and workers."""
    root, image = people

    def log(message, **_):  # from the workers, too
        with (tmp_path / 'log').open('a') as file:
            print(message, file=file)

    dataset = load(root, pipeline, cls, skip_broken_images=True)
    monkeypatch.setattr(checked_images, 'print_log', log)
    paths = [dataset.get_data_info(i)['img_path'] for i in range(len(dataset))]
    count = paths.count(image)
    assert count > 0
    for _ in range(2):
        loader = DataLoader(dataset, collate_fn=list, num_workers=2)
        found = Counter(batch[0]['img_path'] for batch in loader)
        assert found.total() == len(dataset) and image not in found
    assert dataset.broken.tolist() == [path == image for path in paths]
    said = (tmp_path / 'log').read_text()
    assert said.count(f'skipped {image}: is cut off; by now ') == count
    assert f'by now {count} of {len(dataset)} samples are without image' in said


def test_groups_of_people_are_skipped(people):
    root, image = people
    groups = ImageROIDataset(load(root, skip_broken_images=True), 2)
    samples = [sample for group in groups for sample in group]  # and there is an end
    assert len(samples) == 2 * len(groups)
    assert image not in {sample['img_path'] for sample in samples}
    people = groups.dataset
    paths = [people.get_data_info(i)['img_path'] for i in range(len(people))]
    assert people.broken.tolist() == [path == image for path in paths]
    with pytest.raises(BrokenImageError, match='is cut off'):
        [*ImageROIDataset(load(root), 2)]


def test_nothing_but_broken_images(people):
    root, _ = people
    for path in (root / 'images/train').iterdir():
        path.write_bytes(b'')
    groups = ImageROIDataset(load(root, skip_broken_images=True), 2)
    with pytest.raises(ValueError, match='no image can be read'):
        groups[0]


@CLASSES
def test_size_other_than_annotated(people, cls, pipeline):
    """As of a picture whose annotations do not follow its EXIF orientation."""
    root, _ = people
    path = root / 'annotations/train.json'
    content = json.loads(path.read_text())
    content['images'][0].update(width=120, height=160)
    path.write_text(json.dumps(content))
    message = (
        r'000000\.jpg: is 160 x 120 pixels, but 120 x 160 by the annotations; its EXIF '
        'orientation was followed$'
    )
    dataset = load(root, pipeline, cls)
    with pytest.raises(ValueError, match=message):
        dataset[0]


def test_loaders_in_other_transforms():
    """Those of `RandomChoice`, `Mosaic` and so on; what else they hold stays."""
    loader = dict(type='LoadImage', to_float32=True)
    pipeline = [
        dict(type='Mosaic', img_scale=(64, 64), pre_transform=[loader]),
        dict(type='RandomChoice', transforms=[[loader], [dict(type='RandomFlip')]]),
        keep_path,
    ]
    checked = dict(loader, type='mmpose.LoadCheckedImage')
    assert use_checked_images(pipeline) == [
        dict(type='Mosaic', img_scale=(64, 64), pre_transform=[checked]),
        dict(type='RandomChoice', transforms=[[checked], [dict(type='RandomFlip')]]),
        keep_path,
    ]
