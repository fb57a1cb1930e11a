r"""Time the keypoint ROI heads' targets and decoding against torchvision's.

    OMP_NUM_THREADS=1 python tools/benchmarks/benchmark_keypoint_rois.py

Each time is for one image's ROIs, 17 keypoints, without the network, the losses
without their gradients. torchvision
enlarges each map to its ROI, one ROI after the other, so that its time grows with their
size: sides are drawn from 60 to 400 pixels.
"""

import argparse

import torch
from mmdet.registry import MODELS
from torchvision.models.detection.roi_heads import (
    heatmaps_to_keypoints,
    keypointrcnn_loss,
)

import ogn_mm  # noqa: F401
from timing import compare, median_ratio, use_one_thread

KEYPOINTS = 17


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--rois', type=int, nargs='+', default=[10, 50])
    parser.add_argument('--rounds', type=int, default=9)
    return parser.parse_args(argv)


def build(name, size, **kwargs):
    head = dict(
        type=f'mmdet.{name}',
        num_keypoints=KEYPOINTS,
        roi_feat_size=size,
        num_convs=0,
        in_channels=1,
        **kwargs,
    )
    return MODELS.build(head)


def rivals(num_rois):
    """Functions by name, for the loss and for decoding."""
    low = 400 * torch.rand(num_rois, 2)
    extent = 60 + 340 * torch.rand(num_rois, 2)
    rois = torch.cat([low, low + extent], dim=1)
    keypoints = low[:, None] + extent[:, None] * torch.rand(num_rois, KEYPOINTS, 2)
    visible = torch.ones(num_rois, KEYPOINTS)
    with_flags = torch.cat([keypoints, visible[..., None]], dim=-1)
    owner = torch.arange(num_rois)
    heads = {
        'one-hot, 56x56': build('OneHotKeypointHead', 14),
        'offset, softmax, 56x56': build('OffsetKeypointHead', 14, score_loss='softmax'),
        'offset, Smooth L1, 88x64': build('OffsetKeypointHead', (22, 16)),
    }
    maps = {
        name: head(torch.randn(num_rois, 1, *head.roi_feat_size)).detach()
        for name, head in heads.items()
    }
    reference = maps['one-hot, 56x56']
    losses = {
        'torchvision, 56x56': lambda: keypointrcnn_loss(
            reference, [rois], [with_flags], [owner]
        )
    }
    decoders = {'torchvision, 56x56': lambda: heatmaps_to_keypoints(reference, rois)}
    for name, head in heads.items():
        losses[name] = lambda head=head, maps=maps[name]: head.loss(
            maps, rois, keypoints, visible
        )
        decoders[name] = lambda head=head, maps=maps[name]: head.predict(maps, rois)
    return losses, decoders


def main(argv=None):
    args = parse_args(argv)
    use_one_thread()
    torch.manual_seed(0)
    print('| what | ROIs | head | ms | ratio to torchvision |')
    print('|---|---|---|---|---|')
    for num_rois in args.rois:
        for what, functions in zip(('loss', 'decode'), rivals(num_rois), strict=True):
            with torch.no_grad():
                times = compare(functions, args.rounds)
            base = times['torchvision, 56x56']
            for name, seconds in times.items():
                print(
                    f'| {what} | {num_rois} | {name} | {1e3 * seconds.min():.1f} | '
                    f'{median_ratio(seconds, base):.2f} |'
                )


if __name__ == '__main__':
    main()
