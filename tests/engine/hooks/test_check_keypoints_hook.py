import types

import numpy as np
import pytest
from mmengine.dataset import Compose
from mmpose.codecs import MSRAHeatmap, UDPHeatmap
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.datasets.transforms import GenerateTarget, TopdownAffine

from ogn_mm.codecs import OffsetHeatmap
from ogn_mm.engine.evaluator_check import check_images
from ogn_mm.engine.hooks import CheckKeypointsHook
from ogn_mm.engine.skeletons import check_metainfo, count_head_keypoints


@pytest.fixture
def metainfo():
    """Three keypoints, of which the last two are each other's mirror image."""
    return parse_pose_metainfo(
        dict(
            dataset_name='arms',
            keypoint_info={
                0: dict(name='nose', swap=''),
                1: dict(name='left', swap='right'),
                2: dict(name='right', swap='left'),
            },
            skeleton_info={},
            joint_weights=[1.0] * 3,
            sigmas=[0.1] * 3,
        )
    )


def test_sound_metainfo(metainfo):
    check_metainfo(metainfo)


@pytest.mark.parametrize(
    'key, value, message',
    [
        ('flip_indices', [0, 2], "'arms' has 3 keypoints but 2 'flip_indices'"),
        ('flip_indices', [1, 2, 0], 'do not swap in pairs: 0 -> 1'),
        ('flip_indices', [0, 1, 3], 'do not swap in pairs: 2 -> 3'),
        ('sigmas', np.ones(17), "'arms' has 3 keypoints but 17 'sigmas'"),
        ('dataset_keypoint_weights', np.ones(2), "but 2 'joint_weights'"),
    ],
)
def test_faulty_metainfo(metainfo, key, value, message):
    metainfo[key] = value
    with pytest.raises(ValueError, match=message.replace("'", '`')):
        check_metainfo(metainfo)


def head(**attributes):
    return types.SimpleNamespace(**attributes)


@pytest.mark.parametrize(
    'predictor, count',
    [
        (head(out_channels=3, decoder=MSRAHeatmap((8, 8), (2, 2), sigma=1)), 3),
        (head(out_channels=9, decoder=UDPHeatmap((8, 8), (2, 2), 'combined')), 3),
        (head(num_joints=3), 3),
        (head(num_keypoints=3, out_channels=8), 3),
        (head(), None),
        (None, None),
    ],
)
def test_count_head_keypoints(predictor, count):
    assert count_head_keypoints(predictor) == count


def make_loop(dataloader, *metrics):
    evaluator = types.SimpleNamespace(metrics=metrics)
    return types.SimpleNamespace(dataloader=dataloader, evaluator=evaluator)


@pytest.mark.parametrize('loop', ['train', 'val', 'test'])
def test_each_dataset_is_checked(metainfo, loop):
    """Validation's already before training, the others before their own loop."""
    other = dict(metainfo, num_keypoints=17)
    runner = types.SimpleNamespace(
        model=types.SimpleNamespace(head=head(out_channels=3))
    )
    for name in ('train', 'val', 'test'):
        dataset = types.SimpleNamespace(metainfo=metainfo)
        loader = types.SimpleNamespace(dataset=dataset)
        setattr(runner, f'{name}_dataloader', loader)
        setattr(runner, f'{name}_loop', make_loop(loader))
    hook = CheckKeypointsHook()
    start = hook.before_test if loop == 'test' else hook.before_train
    start(runner)
    getattr(runner, f'{loop}_dataloader').dataset.metainfo = other
    with pytest.raises(ValueError, match=r'has 17 keypoints but 3'):
        start(runner)
    other.update(
        flip_indices=range(17), sigmas=[1] * 17, dataset_keypoint_weights=[1] * 17
    )
    expected = f'predicts 3 keypoints.*`arms` of `{loop}_dataloader` has 17'
    with pytest.raises(ValueError, match=expected):
        start(runner)


class Infos(list):
    """A data set of which only the images are known."""

    get_data_info = list.__getitem__


def test_metrics_know_the_images():
    """By id and name; a metric may know more than the data set uses."""
    infos = [dict(img_id=i, img_path=f'data/val/{i}.jpg') for i in range(3, 500)]
    dataset = Infos(infos)
    images = {i: dict(file_name=f'val/{i}.jpg') for i in range(1000)}
    metric = types.SimpleNamespace(coco=None, ann_file='other.json')
    loader = types.SimpleNamespace(dataset=dataset)
    loop = make_loop(loader, metric, types.SimpleNamespace())
    check_images(loop, 'test')
    metric.coco = types.SimpleNamespace(imgs=images)
    check_images(loop, 'test')
    images[3] = dict(file_name='train/3.jpg')
    place = 'under id 3, which is data/val/3.jpg in `test_dataloader`'
    for found in ('train/3.jpg', 'no image'):
        with pytest.raises(
            ValueError, match=f'other.json: `ann_file` of `test_evaluator` has {found} '
        ) as error:
            check_images(loop, 'test')
        assert place in str(error.value)
        images.pop(3, None)


def test_images_that_are_left_out_are_told_once(metainfo):
    """Not again in the validation of every epoch."""
    people = [dict(id=i, image_id=i, keypoints=[1, 1, 2]) for i in range(2)]
    dataset = Infos([dict(img_id=0, img_path='0.jpg', raw_ann_info=people[0])])
    dataset.bbox_file, dataset.metainfo = None, metainfo
    metric = types.SimpleNamespace(
        ann_file='a.json',
        coco=types.SimpleNamespace(
            imgs={i: dict(file_name=f'{i}.jpg') for i in range(2)},
            anns={one['id']: one for one in people},
        ),
    )
    loader, warnings = types.SimpleNamespace(dataset=dataset), []
    runner = types.SimpleNamespace(
        model=types.SimpleNamespace(head=head(out_channels=3)),
        val_loop=make_loop(loader, metric),
        logger=types.SimpleNamespace(warning=warnings.append),
    )
    hook = CheckKeypointsHook()
    for _ in range(3):
        hook.before_val(runner)
    assert len(warnings) == 1 and 'of 2 annotated images' in warnings[0]


SIZES = dict(input_size=(96, 128), heatmap_size=(12, 16))
CODEC = dict(type='OffsetHeatmap', **SIZES)
PLACE = 'in the pipeline of `train_dataloader`'


def check_pipeline(transforms, wrap=lambda dataset: dataset):
    """Start training with a head that decodes ``CODEC``."""
    dataset = types.SimpleNamespace(pipeline=Compose(transforms))
    runner = types.SimpleNamespace(
        model=types.SimpleNamespace(head=head(decoder=OffsetHeatmap(**SIZES))),
        train_dataloader=types.SimpleNamespace(dataset=wrap(dataset)),
        val_loop=None,
    )
    CheckKeypointsHook().before_train(runner)


def test_pipeline_that_fits():
    """Smoothing belongs to decoding alone: the encoder's may differ."""
    check_pipeline(
        [TopdownAffine((96, 128)), GenerateTarget(encoder=dict(CODEC, sigma=0))]
    )


@pytest.mark.parametrize(
    'transform, message',
    [
        (
            lambda: TopdownAffine((96, 128), use_udp=True),
            f'`TopdownAffine` {PLACE} has `use_udp=True`; .* needs `use_udp=False`',
        ),
        (
            lambda: TopdownAffine((192, 256)),
            r'has `input_size` \(192, 256\), but `model.head.decoder` has \(96, 128\)',
        ),
        (
            lambda: GenerateTarget(encoder=dict(CODEC, radius=3)),
            f'`GenerateTarget` {PLACE} has `radius` 3.0, but .* has 1.0',
        ),
        (
            lambda: GenerateTarget(encoder=dict(type='MSRAHeatmap', sigma=1, **SIZES)),
            'has the encoder MSRAHeatmap, but `model.head.decoder` is OffsetHeatmap',
        ),
    ],
)
def test_pipeline_that_crops_or_encodes_otherwise(transform, message):
    for wrap in (
        lambda dataset: dataset,
        lambda dataset: types.SimpleNamespace(dataset=dataset),
        lambda dataset: types.SimpleNamespace(datasets=[dataset]),
    ):
        with pytest.raises(ValueError, match=message):
            check_pipeline([transform()], wrap)


def check_test(metainfo, predicted, model_metainfo=None, **test_cfg):
    """Start a test with a head of so many keypoints."""
    loader = types.SimpleNamespace(dataset=types.SimpleNamespace(metainfo=metainfo))
    runner = types.SimpleNamespace(
        model=types.SimpleNamespace(
            head=head(out_channels=predicted),
            test_cfg=test_cfg,
            metainfo=model_metainfo,
        ),
        train_dataloader=loader,
        val_loop=None,
        test_dataloader=loader,
        test_loop=make_loop(loader),
    )
    CheckKeypointsHook().before_test(runner)
    return runner


def test_selected_keypoints(metainfo):
    """The test set has as many as are selected, the training set all of them."""
    runner = check_test(metainfo, 4, output_keypoint_indices=[0, 3, 1])
    with pytest.raises(ValueError, match='predicts 4 keypoints.*`train_dataloader`'):
        CheckKeypointsHook().before_train(runner)
    with pytest.raises(
        ValueError, match=r'gives 2 keypoints, but the dataset `arms` of'
    ):
        check_test(metainfo, 4, output_keypoint_indices=[0, 3])
    message = (
        r'`model.test_cfg.output_keypoint_indices` has 4, but `model.head` predicts'
    )
    with pytest.raises(ValueError, match=message):
        check_test(metainfo, 4, output_keypoint_indices=[0, 3, 4])


def test_flip_test_of_selected_keypoints(metainfo):
    """Swaps what the head predicts, by the model's own metainfo."""
    trained = dict(metainfo, dataset_name='all', flip_indices=[0, 2, 1, 3])
    options = dict(output_keypoint_indices=[0, 1, 2], flip_test=True)
    check_test(metainfo, 4, trained, **options)
    with pytest.raises(
        ValueError, match='the 4 keypoints .* those of `arms` are for 3;'
    ):
        check_test(metainfo, 4, **options)
