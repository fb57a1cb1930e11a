import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData, PixelData
from mmpose.models.utils.tta import flip_heatmaps
from mmpose.registry import KEYPOINT_CODECS, MODELS
from mmpose.structures import PoseDataSample

import ogn_mm  # noqa: F401

K = 5
FLIP_INDICES = [0, 2, 1, 4, 3]
CODEC = dict(type='OffsetHeatmap', input_size=(64, 96), heatmap_size=(8, 12))


def build_head(num_deconv=1, **kwargs):
    head = dict(
        type='OffsetHead',
        in_channels=8,
        out_channels=K,
        deconv_out_channels=(6,) * num_deconv or None,
        deconv_kernel_sizes=(4,) * num_deconv or None,
        decoder=CODEC,
    )
    head.update(kwargs)
    return MODELS.build(head)


def random_keypoints(seed, people=1):
    rng = np.random.default_rng(seed)
    return rng.uniform((0, 0), (63, 95), (people, K, 2)).astype(np.float32)


def encoded_maps(keypoints):
    """The maps of a perfect network, (B, 3K, H, W)."""
    codec = KEYPOINT_CODECS.build(CODEC)
    maps = []
    for person in keypoints:
        encoded = codec.encode(person[None])
        maps.append(np.concatenate([encoded['heatmaps'], encoded['offsets']]))
    return torch.from_numpy(np.stack(maps))


def sample(keypoints, weights=None):
    encoded = KEYPOINT_CODECS.build(CODEC).encode(keypoints, weights)
    labels = InstanceData(keypoint_weights=torch.tensor(encoded['keypoint_weights']))
    fields = PixelData(
        **{
            name: torch.from_numpy(encoded[name])
            for name in ('heatmaps', 'offsets', 'offset_weights')
        }
    )
    data_sample = PoseDataSample(
        gt_instance_labels=labels, metainfo=dict(flip_indices=FLIP_INDICES)
    )
    data_sample.gt_fields = fields
    return data_sample


@pytest.mark.parametrize(
    'num_deconv, feature_size, map_size', [(0, 12, 12), (1, 6, 12), (2, 3, 12)]
)
def test_forward_shape(num_deconv, feature_size, map_size):
    features = torch.rand(2, 8, feature_size, feature_size)
    maps = build_head(num_deconv)((features,))
    assert maps.shape == (2, 3 * K, map_size, map_size)


def test_two_parallel_convolutions():
    head = build_head()
    assert head.final_layer.out_channels == K
    assert head.offset_layer.out_channels == 2 * K
    assert head.offset_layer.in_channels == head.final_layer.in_channels == 6
    head = build_head(final_layer=dict(kernel_size=3, padding=1))
    assert head.offset_layer.kernel_size == head.final_layer.kernel_size == (3, 3)


def test_loads_the_weights_of_a_heatmap_head():
    heatmap_head = MODELS.build(
        dict(
            type='HeatmapHead',
            in_channels=8,
            out_channels=K,
            deconv_out_channels=(6,),
            deconv_kernel_sizes=(4,),
        )
    )
    head = build_head()
    missing, unexpected = head.load_state_dict(heatmap_head.state_dict(), strict=False)
    assert sorted(missing) == ['offset_layer.bias', 'offset_layer.weight']
    assert not unexpected
    assert torch.equal(head.final_layer.weight, heatmap_head.final_layer.weight)


def test_predict_decodes_perfect_maps(monkeypatch):
    keypoints = random_keypoints(0, people=3)
    head = build_head()
    monkeypatch.setattr(head, 'forward', lambda feats: feats[0])
    samples = [sample(person[None]) for person in keypoints]
    predictions, fields = head.predict(
        (encoded_maps(keypoints),), samples, dict(output_heatmaps=True)
    )
    for person, prediction, field in zip(keypoints, predictions, fields, strict=True):
        np.testing.assert_allclose(prediction.keypoints[0], person, atol=1e-3)
        np.testing.assert_array_equal(prediction.keypoint_scores, np.ones((1, K)))
        assert field.heatmaps.shape == (K, 12, 8)


def test_flip_test_is_exact(monkeypatch):
    """A network that sees mirrored people perfectly loses nothing by it."""
    keypoints = random_keypoints(1, people=2)
    mirrored = keypoints[:, FLIP_INDICES].copy()
    mirrored[..., 0] = 63 - mirrored[..., 0]
    head = build_head()
    monkeypatch.setattr(head, 'forward', lambda feats: feats[0])
    predictions = head.predict(
        [(encoded_maps(keypoints),), (encoded_maps(mirrored),)],
        [sample(person[None]) for person in keypoints],
        dict(flip_test=True),
    )
    for person, prediction in zip(keypoints, predictions, strict=True):
        np.testing.assert_allclose(prediction.keypoints[0], person, atol=1e-3)
        np.testing.assert_array_equal(prediction.keypoint_scores, np.ones((1, K)))


def test_flip_test_equals_mmpose_on_either_part():
    """Heatmaps and offsets are mirrored as MMPose's own functions do."""
    head = build_head()
    generator = torch.Generator().manual_seed(0)
    maps, flipped = torch.rand(2, 2, 3 * K, 12, 8, generator=generator)
    expected = [
        (part + flip_heatmaps(part_flipped, FLIP_INDICES, mode, False)) / 2
        for part, part_flipped, mode in zip(
            maps.split((K, 2 * K), 1),
            flipped.split((K, 2 * K), 1),
            ('heatmap', 'offset'),
            strict=True,
        )
    ]
    for memory_format in (torch.contiguous_format, torch.channels_last):
        average = maps.clone().to(memory_format=memory_format)
        head.average_flipped(
            average, flipped.to(memory_format=memory_format), FLIP_INDICES
        )
        torch.testing.assert_close(average, torch.cat(expected, 1))


def test_flip_equivariance_of_noise(monkeypatch):
    """Swapping the inputs with their mirror images mirrors the predictions."""
    head = build_head()
    monkeypatch.setattr(head, 'forward', lambda feats: feats[0].clone())
    generator = torch.Generator().manual_seed(0)
    maps, flipped = torch.rand(2, 2, 3 * K, 12, 8, generator=generator)
    samples = [sample(random_keypoints(0))] * 2
    config = dict(flip_test=True)
    one = head.predict([(maps,), (flipped,)], samples, config)
    other = head.predict([(flipped,), (maps,)], samples, config)
    for a, b in zip(one, other, strict=True):
        expected = b.keypoints[:, FLIP_INDICES].copy()
        expected[..., 0] = 63 - expected[..., 0]
        np.testing.assert_allclose(a.keypoints, expected, atol=1e-4)
        np.testing.assert_allclose(
            a.keypoint_scores, b.keypoint_scores[:, FLIP_INDICES], atol=1e-6
        )


def test_loss_learns_the_target():
    """A few steps on one sample bring its keypoints back."""
    torch.manual_seed(0)
    head = build_head(
        init_cfg=dict(type='Kaiming', layer=['Conv2d', 'ConvTranspose2d']),
        deconv_out_channels=(64,),
    )
    keypoints = random_keypoints(2)
    data_sample = sample(keypoints)
    features = (torch.rand(1, 8, 6, 4),)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.02)
    for _ in range(150):
        losses = head.loss(features, [data_sample])
        assert set(losses) == {'loss_heatmap', 'loss_offset', 'acc_pose'}
        optimizer.zero_grad()
        (losses['loss_heatmap'] + losses['loss_offset']).backward()
        optimizer.step()
    assert losses['acc_pose'] == 1
    (prediction,) = head.predict(features, [data_sample])
    assert np.abs(prediction.keypoints - keypoints).max() < 2


def test_accuracy_counts_visible_keypoints_only(monkeypatch):
    keypoints = random_keypoints(3)
    shifted = keypoints.copy()
    shifted[0, 0] = (keypoints[0, 0] + 32) % 64  # far off
    shifted[0, 1] = (keypoints[0, 1] + 32) % 64  # far off, but invisible
    head = build_head()
    monkeypatch.setattr(head, 'forward', lambda feats: feats[0])
    weights = np.ones((1, K), np.float32)
    weights[0, 1] = 0
    losses = head.loss((encoded_maps(shifted),), [sample(keypoints, weights)])
    assert losses['acc_pose'].item() == pytest.approx(3 / 4)


def test_channels_last_gives_the_same():
    head = build_head()
    features = torch.rand(2, 8, 6, 4, generator=torch.Generator().manual_seed(0))
    samples = [sample(random_keypoints(0))] * 2
    config = dict(flip_test=True, output_heatmaps=True)
    expected, _ = head.predict([(features,), (features.flip(-1),)], samples, config)
    features = features.to(memory_format=torch.channels_last)
    head = head.to(memory_format=torch.channels_last)
    predicted, _ = head.predict([(features,), (features.flip(-1),)], samples, config)
    for a, b in zip(expected, predicted, strict=True):
        np.testing.assert_allclose(a.keypoint_scores, b.keypoint_scores, atol=1e-5)
    head.loss((features,), samples)['loss_offset'].backward()


def test_bfloat16_features_train_and_predict():
    head = build_head().bfloat16()
    features = (torch.rand(1, 8, 6, 4, dtype=torch.bfloat16),)
    losses = head.loss(features, [sample(random_keypoints(0))])
    assert losses['loss_heatmap'].dtype == torch.float32
    (prediction,) = head.predict(features, [sample(random_keypoints(0))])
    assert prediction.keypoints.dtype == np.float32


def test_errors_name_the_cause():
    with pytest.raises(TypeError, match='OffsetHeatmap'):
        build_head(
            decoder=dict(
                type='MSRAHeatmap', input_size=(64, 96), heatmap_size=(8, 12), sigma=1
            )
        )
    head = build_head(decoder=None)
    features = (torch.rand(1, 8, 6, 4),)
    with pytest.raises(RuntimeError, match='decoder'):
        head.predict(features, [sample(random_keypoints(0))])
    with pytest.raises(ValueError, match='shift_heatmap'):
        build_head().predict(
            features, [sample(random_keypoints(0))], dict(shift_heatmap=True)
        )
    other_codec = sample(random_keypoints(0))
    other_codec.gt_fields = PixelData(heatmaps=torch.zeros(K, 12, 8))
    with pytest.raises(ValueError, match='OffsetHeatmap'):
        head.loss(features, [other_codec])
    coarse = sample(random_keypoints(0))
    with pytest.raises(ValueError, match=r'maps of 2 x 2, .*`heatmap_size` \(8, 12\)'):
        head.loss((torch.rand(1, 8, 1, 1),), [coarse])
    with pytest.raises(ValueError, match='heatmap_size'):
        build_head().predict((torch.rand(1, 8, 3, 3),), [sample(random_keypoints(0))])


def test_autocast_does_not_round_the_decoding():
    """Under autocast the same maps give the same keypoints to the bit."""
    head = build_head()
    maps = torch.rand(2, 3 * K, 12, 8, generator=torch.Generator().manual_seed(0))
    expected = head.decode(maps)
    with torch.autocast('cpu', torch.bfloat16):
        predicted = head.decode(maps)
    for a, b in zip(expected, predicted, strict=True):
        np.testing.assert_array_equal(a.keypoints, b.keypoints)
