"""Images of several data sets together are checked as those of one."""

import shutil

import pytest
from mmengine.config import Config
from mmpose.registry import DATASETS

from ogn_mm.datasets import CheckedCombinedDataset, ImageROIDataset
from ogn_mm.datasets.images import BrokenImageError

SKELETON = dict(from_file='configs/_base_/datasets/coco.py')


def keep_path(results):
    return dict(img_path=results['img_path'])


@pytest.fixture
def people(generated_people, tmp_path):
    """Root of a copy of which an image is cut off, and the image's path."""
    root = tmp_path / 'data'
    shutil.copytree(generated_people, root)
    image = root / 'images/train/000003.jpg'
    image.write_bytes(image.read_bytes()[:-50])
    return root, str(image)


def part(root, **options):
    """A data set without a loader."""
    return dict(
        type='ValidatedCocoDataset',
        data_root=str(root),
        ann_file='annotations/train.json',
        data_prefix=dict(img='images/train/'),
        pipeline=[],
        **options,
    )


def combine(*parts, pipeline=('LoadImage',), **options):
    """By the name that MMPose's configs have."""
    steps = [dict(type=name) for name in pipeline]
    return DATASETS.build(
        dict(
            type='CombinedDataset',
            metainfo=SKELETON,
            datasets=list(parts),
            pipeline=[*steps, keep_path],
            **options,
        )
    )


def places(dataset, image):
    paths = [dataset.get_data_info(i)['img_path'] for i in range(len(dataset))]
    return [path == image for path in paths]


@pytest.mark.parametrize(
    'name', ['coco_posetrack18_keypoints', 'posetrack18_coco_keypoints']
)
def test_our_configs(name, people, generated_people):
    root, image = people
    path = f'configs/_base_/datasets/{name}.py'
    cfg = Config.fromfile(path).train_dataloader.dataset
    cfg.datasets = [dict(part(root), pipeline=cfg.datasets[0].pipeline)]
    cfg.pipeline = [dict(type='LoadImage')]
    dataset = DATASETS.build(cfg)
    with pytest.raises(BrokenImageError, match=f'{image}: is cut off$'):
        list(dataset)


def test_size_other_than_annotated(people, tmp_path):
    root, _ = people
    path = root / 'annotations/train.json'
    turned = path.read_text().replace('"width": 160', '"width": 120')
    path.write_text(turned.replace('"height": 120', '"height": 160'))
    with pytest.raises(
        ValueError, match=r'000000\.jpg: is 160 x 120 pixels, but 120 x'
    ):
        combine(part(root))[0]


def test_error_names_the_image(people):
    """Testing never skips, and training only where it may."""
    root, image = people
    skip = dict(skip_broken_images=True)
    for dataset in (
        combine(part(root)),
        combine(part(root, **skip), test_mode=True),
        combine(part(root, test_mode=True, **skip)),
        combine(part(root), test_mode=True, **skip),
        # not the data set that may be skipped
        combine(part(root), part(root, **skip)),
    ):
        with pytest.raises(BrokenImageError, match=f'{image}: is cut off$'):
            [dataset[i] for i in range(len(dataset))]


@pytest.mark.parametrize('wrap', ['', 'RepeatDataset', 'ConcatDataset'])
def test_skipped_and_counted_by_a_part(wrap, people):
    root, image = people
    skipping = part(root, skip_broken_images=True)
    inner = {
        '': skipping,
        'RepeatDataset': dict(type=wrap, dataset=skipping, times=2),
        'ConcatDataset': dict(type=wrap, datasets=[skipping]),
    }[wrap]
    dataset = combine(inner)
    assert isinstance(dataset, CheckedCombinedDataset)
    found = [sample['img_path'] for sample in (dataset[i] for i in range(len(dataset)))]
    assert image not in found
    (source,) = dataset.datasets
    source = getattr(source, 'dataset', source)
    source = getattr(source, 'datasets', [source])[0]
    assert source.broken.tolist() == places(source, image)
    assert source.broken.any() and not dataset.broken.any()


def test_skipped_and_counted_by_the_wrapper(people):
    root, image = people
    dataset = combine(part(root), part(root), skip_broken_images=True)
    assert image not in [dataset[i]['img_path'] for i in range(len(dataset))]
    assert dataset.broken.tolist() == places(dataset, image)
    assert not dataset.datasets[0].broken.any()


def test_resampled_people_are_counted_where_they_are_from(people):
    """The sample that was drawn, not another one of the same place."""
    root, image = people
    dataset = combine(
        part(root, skip_broken_images=True), sample_ratio_factor=[0.3], max_refetch=99
    )
    for _ in range(20):
        [dataset[i] for i in range(len(dataset))]
    source = dataset.datasets[0]
    expected = places(source, image)
    assert source.broken.any()
    assert all(
        there for there, broken in zip(expected, source.broken, strict=True) if broken
    )


def test_groups_of_people_of_several_sets(people, generated_people):
    root, image = people
    dataset = combine(
        part(root, skip_broken_images=True),
        part(generated_people),
        pipeline=['LoadImage'],
    )
    groups = ImageROIDataset(dataset, 2)
    for group in (groups.get_group(i) for i in range(len(groups))):
        assert len({dataset.get_data_info(i)['img_path'] for i in group}) == 1
    found = [sample['img_path'] for group in groups for sample in group]
    assert image not in found
    broken = dataset.datasets[0].broken.tolist()
    assert broken == places(dataset.datasets[0], image)
    with pytest.raises(ValueError, match='`sample_ratio_factor` has not the same peop'):
        ImageROIDataset(combine(part(root), sample_ratio_factor=[2.0]))
    with pytest.raises(
        ValueError, match='RepeatDataset has none; other wrappers go ar'
    ):
        ImageROIDataset(dict(type='RepeatDataset', dataset=part(root), times=2))
