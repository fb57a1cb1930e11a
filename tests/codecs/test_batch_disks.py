"""Disks of many ROIs at once are those that the codec draws one by one."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ogn_mm.codecs.utils import batch_disk_targets, generate_disk_targets


def test_by_hand():
    """R = 1 and g = (2.25, 1) on a 4 x 3 map: pixels (2, 1) and (3, 1) are in."""
    points = torch.tensor([[[2.25, 1.0], [2.25, 1.0]]])
    heatmaps, offsets = batch_disk_targets(
        points, torch.tensor([[True, False]]), (4, 3), 1.0
    )
    disk = torch.tensor([[0.0, 0, 0, 0], [0, 0, 1, 1], [0, 0, 0, 0]])
    assert torch.equal(heatmaps[0], torch.stack([disk, 0 * disk]))
    x = torch.tensor([[0.0, 0, 0, 0], [0, 0, 0.25, -0.75], [0, 0, 0, 0]])
    assert torch.equal(offsets[0, 0], x) and not offsets[0, 1:].any()


@settings(max_examples=50)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 20),
    st.integers(1, 20),
    st.floats(0.71, 5),
)
def test_equals_the_codec_s_targets(seed, width, height, radius):
    rng = np.random.default_rng(seed)
    # a few of them off the map, quarters so that distances are exact
    points = rng.integers(-12, 4 * 20, (4, 3, 2)).astype(np.float32) / 4
    valid = rng.random((4, 3)) < 0.8
    radius = round(radius * 4) / 4
    heatmaps, offsets = batch_disk_targets(
        torch.from_numpy(points), torch.from_numpy(valid), (width, height), radius
    )
    for i in range(4):
        expected = generate_disk_targets(
            points[i, None], valid[i, None], (width, height), radius
        )
        np.testing.assert_array_equal(heatmaps[i], expected[0])
        np.testing.assert_allclose(offsets[i], expected[1], atol=1e-6)
        drawn = heatmaps[i].amax(dim=(1, 2)) > 0
        np.testing.assert_array_equal(drawn, expected[2][0])
