import pytest
import torch
from mmpose.registry import MODELS

import ogn_mm  # noqa: F401


def build(**kwargs):
    return MODELS.build(dict(type='OffsetGuidedLoss', **kwargs))


def random_case(seed=0, people=2, keypoints=3, height=5, width=4):
    generator = torch.Generator().manual_seed(seed)

    def maps(channels):
        return torch.rand(people, channels, height, width, generator=generator)

    inside = (maps(keypoints) > 0.7).float()
    return dict(
        heatmaps=maps(keypoints),
        offsets=2 * maps(2 * keypoints) - 1,
        gt_heatmaps=inside,
        gt_offsets=(2 * maps(2 * keypoints) - 1) * inside.repeat_interleave(2, 1),
        offset_weights=inside,
        keypoint_weights=torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]),
    )


def test_value_by_hand():
    """One keypoint, a disk of two pixels, beta 1: worked out on paper."""
    heatmap_loss, offset_loss = build(beta=1.0)(
        heatmaps=torch.tensor([[[[1.0, 0.5, 0.2]]]]),
        offsets=torch.tensor([[[[0.5, -1.5, 9.0]], [[0.0, 0.0, 9.0]]]]),
        gt_heatmaps=torch.tensor([[[[1.0, 1.0, 0.0]]]]),
        gt_offsets=torch.tensor([[[[0.1, 0.5, 0.0]], [[0.0, 0.2, 0.0]]]]),
        offset_weights=torch.tensor([[[[1.0, 1.0, 0.0]]]]),
        keypoint_weights=torch.tensor([[1.0]]),
    )
    # (0 + 0.5 * 0.5^2 + 0.5 * 0.2^2) / 2
    assert heatmap_loss.item() == pytest.approx(0.145 / 2)
    # (0.5 * 0.4^2 + (2 - 0.5) + 0 + 0.5 * 0.2^2) / 2
    assert offset_loss.item() == pytest.approx(1.6 / 2)


@pytest.mark.parametrize('beta', [0.1, 1.0])
@pytest.mark.parametrize('normalize_by', ['disk', 'keypoint', 'map'])
def test_equals_a_plain_loop(beta, normalize_by):
    case = random_case()
    heatmap_sum = offset_sum = disk = keypoints = pixels = 0.0
    people, channels, height, width = case['heatmaps'].shape

    def smooth_l1(difference):
        difference = abs(difference)
        if difference < beta:
            return 0.5 * difference**2 / beta
        return difference - 0.5 * beta

    for b in range(people):
        for k in range(channels):
            if not case['keypoint_weights'][b, k]:
                continue
            keypoints += 1
            for y in range(height):
                for x in range(width):
                    pixels += 1
                    heatmap_sum += smooth_l1(
                        (case['heatmaps'] - case['gt_heatmaps'])[b, k, y, x].item()
                    )
                    if not case['offset_weights'][b, k, y, x]:
                        continue
                    disk += 1
                    for axis in range(2):
                        offset_sum += smooth_l1(
                            (case['offsets'] - case['gt_offsets'])[
                                b, 2 * k + axis, y, x
                            ].item()
                        )
    count = dict(disk=disk, keypoint=keypoints, map=pixels)[normalize_by]
    losses = build(beta=beta, normalize_by=normalize_by)(**case)
    torch.testing.assert_close(
        torch.stack(losses), torch.tensor([heatmap_sum, offset_sum]) / count
    )


def test_gradients_of_offsets_stay_inside_the_disks_that_count():
    case = random_case()
    case['offsets'].requires_grad_()
    case['heatmaps'].requires_grad_()
    sum(build()(**case)).backward()
    counts = case['offset_weights'] * case['keypoint_weights'][..., None, None]
    counts = counts.repeat_interleave(2, 1).bool()
    assert (case['offsets'].grad[counts] != 0).all()
    assert (case['offsets'].grad[~counts] == 0).all()
    ignored = case['keypoint_weights'] == 0
    assert (case['heatmaps'].grad[ignored] == 0).all()
    assert (case['heatmaps'].grad[~ignored] != 0).any()


def test_background_counts_less():
    """By hand: the pixel outside the disk counts a tenth; offsets are as before."""
    case = dict(
        heatmaps=torch.tensor([[[[1.0, 0.5, 0.2]]]]),
        offsets=torch.zeros(1, 2, 1, 3),
        gt_heatmaps=torch.tensor([[[[1.0, 1.0, 0.0]]]]),
        gt_offsets=torch.ones(1, 2, 1, 3),
        offset_weights=torch.tensor([[[[1.0, 1.0, 0.0]]]]),
        keypoint_weights=torch.tensor([[1.0]]),
    )
    heatmap_loss, offset_loss = build(background_weight=0.1)(**case)
    # (0.5 * 0.5^2 + 0.1 * 0.5 * 0.2^2) / 2
    assert heatmap_loss.item() == pytest.approx(0.127 / 2)
    assert offset_loss == build()(**case)[1]


def test_weight_acts_once():
    """A weight of 0.5 halves a keypoint's share, not quarters it."""
    case = random_case()
    full = [loss.item() for loss in build(normalize_by='map')(**case)]
    case['keypoint_weights'] *= 0.5
    # the count is a weighted one too, so the mean stays
    half = [loss.item() for loss in build(normalize_by='map')(**case)]
    assert half == pytest.approx(full)


def test_no_visible_keypoint_gives_zero_and_no_gradient():
    case = random_case()
    case['keypoint_weights'].zero_()
    case['heatmaps'].requires_grad_()
    case['offsets'].requires_grad_()
    losses = build()(**case)
    sum(losses).backward()
    assert [loss.item() for loss in losses] == [0, 0]
    assert not case['heatmaps'].grad.any() and not case['offsets'].grad.any()


def test_size_does_not_depend_on_resolution():
    """The same disks on a larger map give the same loss."""
    case = random_case()
    padded = {
        name: torch.nn.functional.pad(value, (0, 6, 0, 7))
        if value.dim() == 4
        else value
        for name, value in case.items()
    }
    torch.testing.assert_close(build()(**padded), build()(**case))


@pytest.mark.parametrize(
    'kwargs, named',
    [
        (dict(beta=0), 'beta'),
        (dict(normalize_by='mean'), 'normalize_by'),
        (dict(background_weight=0.0), 'background_weight'),
        (dict(background_weight=1.5), 'background_weight'),
    ],
)
def test_bad_arguments_are_named(kwargs, named):
    with pytest.raises(ValueError, match=named):
        build(**kwargs)
