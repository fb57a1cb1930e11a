"""Keypoints of data sets in wrappers."""

import types

import pytest
from mmengine.dataset import Compose
from mmpose.datasets import CombinedDataset
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.datasets.transforms import KeypointConverter

from ogn_mm.engine.dataset_check import check_same_keypoints, check_wrapped
from ogn_mm.engine.skeletons import check_metainfo

ARM = ('shoulder', 'elbow', 'wrist')


def skeleton(name, *joints, **fields):
    count = len(joints)
    return parse_pose_metainfo(
        dict(
            dataset_name=name,
            keypoint_info={
                k: dict(name=joint, swap='') for k, joint in enumerate(joints)
            },
            skeleton_info={},
            joint_weights=[1.0] * count,
            sigmas=[0.1] * count,
        )
        | fields
    )


def people(metainfo, *converters):
    return types.SimpleNamespace(metainfo=metainfo, pipeline=Compose(converters))


def combined(metainfo, *parts, converters=()):
    """As it is built, but without samples."""
    dataset = CombinedDataset.__new__(CombinedDataset)
    dataset._metainfo, dataset.datasets = metainfo, list(parts)
    dataset.pipeline = Compose(converters)
    return dataset


def repeated(part):
    return types.SimpleNamespace(metainfo=part.metainfo, dataset=part)


def test_without_sigmas():
    """As of MMPose's faces and hands; only OKS needs them."""
    check_metainfo(skeleton('faces', 'nose', sigmas=[]))


WRAPPERS = pytest.mark.parametrize(
    'wrap',
    [
        lambda part: part,
        repeated,
        lambda part: repeated(repeated(part)),
        lambda part: types.SimpleNamespace(metainfo=part.metainfo, datasets=[part]),
    ],
)


@WRAPPERS
def test_what_fits(wrap):
    arm = skeleton('arms', *ARM)
    turned = skeleton('turned', 'hand', *ARM[::-1])
    # names that only one of them has, a mean of two, and numbers that mean nothing
    converter = KeypointConverter(3, [(3, 0), ((1, 2), 1), (0, 2)])
    for part in (people(arm), people(turned, converter)):
        check_wrapped(combined(arm, wrap(part)), 'x')
    numbered = skeleton('faces', 'kpt-0', 'kpt-1')
    other = people(numbered, KeypointConverter(2, [(0, 1), (1, 0)]))
    check_wrapped(combined(numbered, wrap(other)), 'x')
    # a data set alone may renumber its own
    check_wrapped(wrap(people(arm, KeypointConverter(3, [(0, 2), (2, 0)]))), 'x')
    last = combined(arm, wrap(people(turned)), converters=[converter])
    check_wrapped(last, 'x')


@WRAPPERS
@pytest.mark.parametrize(
    'joints, converters, message',
    [
        (ARM[:2], [], 'with 3 keypoints, has 2; convert them by `KeypointConverter`'),
        (ARM, [(4, [(0, 0)])], 'with 3 keypoints, has 4; convert'),
        (ARM[::-1], [], 'gives `wrist` the place of `shoulder`, 0; map 0 to 2 by'),
        (ARM, [(3, [(0, 0), (1, 2)])], 'gives `elbow` the place of `wrist`, 2; map 1 '),
        (ARM, [(3, [(3, 2)])], 'maps keypoint 3 to 2, but they have 3 and 3 keypoints'),
        (ARM, [(3, [(2, 3)])], 'maps keypoint 2 to 3, but they have 3 and 3 keypoints'),
        (ARM, [(3, [((0, 5), 2)])], r'maps keypoint \(0, 5\) to 2'),
    ],
)
def test_what_does_not(joints, converters, message, wrap):
    part = people(
        skeleton('other', *joints), *[KeypointConverter(*args) for args in converters]
    )
    dataset = combined(skeleton('arms', *ARM), people(skeleton('a', *ARM)), wrap(part))
    with pytest.raises(ValueError, match=message) as error:
        check_wrapped(dataset, 'x')
    place = 'the dataset `other` in `x`, whose wrapper is of `arms`'
    assert str(error.value).startswith(place)


@WRAPPERS
def test_every_metainfo_agrees_with_itself(wrap):
    arm = skeleton('arms', *ARM)
    faulty = dict(skeleton('other', *ARM), flip_indices=[0, 1])
    with pytest.raises(
        ValueError, match='`other` has 3 keypoints but 2 `flip_indices`'
    ):
        check_wrapped(combined(arm, wrap(people(faulty))), 'x')


def test_others_with_several_skeletons():
    """MMEngine's `ConcatDataset` has the first one's, MMDetection's all of them."""
    parts = [people(skeleton('a', *ARM)), people(skeleton('b', *ARM[::-1]))]
    first = types.SimpleNamespace(metainfo=parts[0].metainfo, datasets=parts)
    with pytest.raises(ValueError, match='gives `wrist` the place of `shoulder`'):
        check_wrapped(first, 'x')
    every = types.SimpleNamespace(
        metainfo=[part.metainfo for part in parts], datasets=parts
    )
    check_wrapped(every, 'x')
    parts[1].metainfo['sigmas'] = [1] * 5
    with pytest.raises(ValueError, match='`b` has 3 keypoints but 5 `sigmas`'):
        check_wrapped(every, 'x')


def test_validation_has_the_keypoints_of_training():
    arm = skeleton('arms', *ARM)
    check_same_keypoints(people(arm), repeated(people(arm)), 'val_dataloader')
    check_same_keypoints(people(arm), people({}), 'val_dataloader')
    turned = people(skeleton('turned', *ARM[::-1]))
    with pytest.raises(ValueError, match='`turned` of `x` has `wrist` as keypoint 0'):
        check_same_keypoints(people(arm), turned, 'x')
    hands = {k: dict(name=name, swap='') for k, name in enumerate(('left', 'right'))}
    pair = {k: dict(hand, swap=('right', 'left')[k]) for k, hand in hands.items()}
    straight = skeleton('a', 'left', 'right', keypoint_info=hands)
    mirrored = skeleton('b', 'left', 'right', keypoint_info=pair)
    with pytest.raises(ValueError, match='`b` of `x` has other flip indices'):
        check_same_keypoints(people(straight), people(mirrored), 'x')


def test_keypoints_chosen_for_a_test_are_in_their_places():
    five = people(skeleton('five', 'nose', *ARM, 'toe'))
    arm = people(skeleton('arms', *ARM))
    check_same_keypoints(five, arm, 'x', [1, 2, 3])
    other = people(skeleton('limbs', 'shoulder', 'elbow', 'hand'))
    check_same_keypoints(five, other, 'x', [1, 2, 3])
    with pytest.raises(ValueError, match='`shoulder` as keypoint 0, .* has `wrist`'):
        check_same_keypoints(five, arm, 'x', [3, 2, 1])


def test_a_mapping_of_nothing():
    part = people(skeleton('arms', *ARM), KeypointConverter(3, [(0, 0)]))
    part.pipeline.transforms[0].mapping = []
    with pytest.raises(ValueError, match='maps no keypoint'):
        check_wrapped(combined(skeleton('all', *ARM), part), 'x')
