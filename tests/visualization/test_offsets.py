import numpy as np
import pytest
from matplotlib.quiver import Quiver

from ogn_mm.codecs import OffsetHeatmap
from ogn_mm.visualization import draw_offset_field


@pytest.mark.parametrize('heatmap_size', [(6, 8), (12, 16), (24, 32)])
def test_arrows_of_true_offsets_meet_in_the_keypoint(heatmap_size, tmp_path):
    codec = OffsetHeatmap((96, 128), heatmap_size, radius=2.0)
    keypoints = np.random.default_rng(0).uniform(20, 80, (1, 4, 2))
    encoded = codec.encode(keypoints)
    figure = draw_offset_field(
        np.full((128, 96, 3), 90, np.uint8),
        encoded['heatmaps'],
        encoded['offsets'],
        codec.radius,
        keypoints[0],
        ground_truth=np.c_[keypoints[0], [2, 2, 0, 1]],
        zoom=(0, 2, 3),
        names=['a', 'b', 'c', 'd'],
    )
    overview, *details = figure.axes
    assert [axes.get_title() for axes in details] == ['a', 'c', 'd']
    for axes, k in zip(details, (0, 2, 3), strict=True):
        (arrows,) = (item for item in axes.collections if isinstance(item, Quiver))
        tips = np.stack([arrows.X + arrows.U, arrows.Y + arrows.V], axis=1)
        assert len(tips) == encoded['heatmaps'][k].sum()
        np.testing.assert_allclose(
            tips, np.broadcast_to(keypoints[0, k], tips.shape), atol=1e-4
        )
        # the starts are the centres of the heatmap's pixels, inside the disk
        starts = np.stack([arrows.X, arrows.Y], axis=1)
        pixels = (starts + 0.5) / codec.stride - 0.5
        np.testing.assert_allclose(pixels, pixels.round(), atol=1e-6)
        # the picture is around the keypoint, upright
        left, right = axes.get_xlim()
        bottom, top = axes.get_ylim()
        assert left < keypoints[0, k, 0] < right
        assert top < keypoints[0, k, 1] < bottom
        crosses = [line for line in axes.lines if line.get_marker() == 'P']
        assert len(crosses) == (k != 2)  # not labelled, not marked
    figure.savefig(tmp_path / 'a.png')
    assert (tmp_path / 'a.png').stat().st_size > 10000


@pytest.mark.parametrize('count', [3, 7])
def test_targets_stand_below_predictions(count):
    rng = np.random.default_rng(1)
    codec = OffsetHeatmap((96, 128), (12, 16), radius=1.5)
    truth = np.c_[rng.uniform(20, 80, (8, 2)), [2, 2, 0, 1, 2, 2, 2, 2]]
    targets = codec.encode(truth[None, :, :2], truth[None, :, 2])
    figure = draw_offset_field(
        np.full((128, 96, 3), 90, np.uint8),
        rng.random((8, 16, 12), np.float32),
        rng.normal(size=(16, 16, 12)),
        codec.radius,
        truth[:, :2] + 5,
        truth,
        zoom=range(count),
        targets=(targets['heatmaps'], targets['offsets']),
    )
    titles = [axes.get_title() for axes in figure.axes]
    details = [str(k) for k in range(count)]
    predicted = 'predicted heatmaps and keypoints'
    assert titles == [predicted, *details, 'targets', *details]
    predicted, target = figure.axes[: 1 + count], figure.axes[1 + count :]
    for k, (above, below) in enumerate(zip(predicted[1:], target[1:], strict=True)):
        assert above.get_xlim() == below.get_xlim()
        (arrows,) = (item for item in below.collections if isinstance(item, Quiver))
        tips = np.stack([arrows.X + arrows.U, arrows.Y + arrows.V], axis=1)
        assert len(tips) == targets['heatmaps'][k].sum()  # none for what is unlabelled
        np.testing.assert_allclose(tips - truth[k, :2], 0, atol=1e-4)
    # squares of many would cover the overview
    assert len(predicted[0].patches) == (count if count < 6 else 0)
