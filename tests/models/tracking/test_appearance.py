"""Features of people: MMDetection's ReID networks, and histograms of colours."""

import cv2
import numpy as np
import pytest
import torch
from mmdet.models.trackers import SORTTracker
from mmengine.registry import DefaultScope
from mmpose.registry import MODELS

from ogn_mm.models.tracking.appearance import crop_people

# As in MMDetection's configs/reid, but behind a narrow ResNet-18.
REID = dict(
    type='BaseReID',
    data_preprocessor=dict(
        type='ReIDDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        to_rgb=True,
    ),
    backbone=dict(type='mmpretrain.ResNet', depth=18, base_channels=8),
    neck=dict(type='GlobalAveragePooling', kernel_size=(8, 4), stride=1),
    head=dict(
        type='LinearReIDHead',
        num_fcs=1,
        in_channels=64,
        fc_channels=32,
        out_channels=16,
        num_classes=5,
        loss_cls=dict(type='mmpretrain.CrossEntropyLoss'),
        loss_triplet=dict(type='TripletLoss', margin=0.3),
        norm_cfg=dict(type='BN1d'),
        act_cfg=dict(type='ReLU'),
    ),
)
BOXES = np.array([[10.0, 20, 50, 100], [60, 5, 90, 95], [90, 30, 130, 110]])


@pytest.fixture(scope='module')
def image():
    noise = np.random.default_rng(0).uniform(0, 255, (120, 160, 3)).astype(np.uint8)
    return cv2.GaussianBlur(noise, None, 2)


def test_crops_are_those_of_mmdetection(image):
    """But for the outermost pixels, which see beyond the box here."""
    crops = crop_people(image, BOXES, (128, 256), samples=1)
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    theirs = SORTTracker.crop_imgs(
        type('', (), dict(reid=dict(img_scale=(256, 128))))(),
        pixels,
        dict(img_shape=image.shape[:2]),
        torch.from_numpy(BOXES),
    )
    assert crops.shape == theirs.shape == (3, 3, 256, 128)
    inner = np.s_[:, :, 4:-4, 4:-4]
    np.testing.assert_allclose(crops[inner], theirs[inner], atol=1e-2)


def test_reid_network_of_mmdetection(image, tmp_path):
    """Saved weights load, every one; all people go through in one batch."""
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmdet'):
        reid = MODELS.build(REID).eval()
    path = str(tmp_path / 'reid.pth')
    torch.save(dict(state_dict=reid.state_dict(), meta={}), path)
    module = MODELS.build(dict(type='ReIDFeatures', reid=REID, checkpoint=path))
    calls = []
    module.reid.backbone.register_forward_pre_hook(
        lambda _, inputs: calls.append(inputs[0].shape)
    )
    features = module(image, BOXES)
    assert calls == [(3, 3, 256, 128)]
    crops = crop_people(image, BOXES, (128, 256), samples=1)
    mean, std = (
        torch.tensor(REID['data_preprocessor'][name]).view(3, 1, 1)
        for name in ('mean', 'std')
    )
    with torch.no_grad():
        expected = reid((crops.flip(1) - mean) / std, mode='tensor').numpy()
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(features, expected, atol=1e-5)
    assert module(image, BOXES[:0]).shape == (0, 16)

    state = reid.state_dict()
    del state['head.fc_out.weight']
    torch.save(dict(state_dict=state, meta={}), path)
    with pytest.raises(ValueError, match=r'not fit: 1 weights .*head\.fc_out\.weight'):
        MODELS.build(dict(type='ReIDFeatures', reid=REID, checkpoint=path))


def test_stripes_by_hand():
    """The upper half red, the lower one blue and green; background beside it."""
    image = np.full((40, 40, 3), 255, np.uint8)
    image[:20, 10:30] = (0, 0, 255)
    image[20:, 10:20] = (255, 0, 0)
    image[20:, 20:30] = (0, 255, 0)
    module = MODELS.build(dict(type='ColorStripes', stripes=2, bins=2, margin=0.25))
    (features,) = module(image, np.array([[0.0, 0, 40, 40]]))
    expected = np.zeros((2, 8))
    # one bit for each of blue, green, red
    expected[0, 0b001] = np.sqrt(0.5)
    expected[1, [0b100, 0b010]] = 0.5
    np.testing.assert_allclose(features, expected.ravel(), atol=1e-6)


def test_stripes_tell_clothes_apart(image):
    module = MODELS.build(dict(type='ColorStripes'))
    shirt = image.copy()
    shirt[40:70, 10:50] = (0, 0, 200)
    (same, other), (moved, _) = (
        module(image, BOXES[[0, 1]]),
        module(image, BOXES[[0, 1]] + 2),
    )
    changed = module(shirt, BOXES[:1])[0]
    assert np.linalg.norm(same - moved) < np.linalg.norm(same - changed)
    np.testing.assert_allclose(np.linalg.norm([same, other, changed], axis=1), 1)
    assert module(image, BOXES[:0]).shape == (0, 6 * 64)
    # a box that the image has no part of has features, too
    assert np.isfinite(module(image, BOXES[:1] + 1000)).all()


def test_faulty_settings():
    with pytest.raises(ValueError, match='margin must be at least 0 and below 0.5'):
        MODELS.build(dict(type='ColorStripes', margin=0.5))
