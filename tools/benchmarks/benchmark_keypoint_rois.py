r"""Time the keypoint ROI heads' targets and decoding against torchvision's.

    OMP_NUM_THREADS=1 python tools/benchmarks/benchmark_keypoint_rois.py

17 keypoints, without the network; a loss is timed with its gradient for the maps.
torchvision enlarges each map to its ROI, one ROI after the other, so that its time
grows with their size: sides are drawn from 60 to 400 pixels. The memory is what a call
takes at its peak beside the maps, on Linux alone.
"""

import argparse
import ctypes
import re
from functools import partial
from pathlib import Path

import torch
from mmdet.registry import MODELS
from torchvision.models.detection.roi_heads import (
    heatmaps_to_keypoints,
    keypointrcnn_loss,
)

import ogn_mm  # noqa: F401
from timing import compare, format_table, median_ratio, use_one_thread

KEYPOINTS = 17
TORCHVISION = 'torchvision, 56x56'
WHAT = ('loss', 'decode')


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--rois', type=int, nargs='+', default=[50])
    parser.add_argument('--rounds', type=int, default=9)
    parser.add_argument('--what', nargs='+', choices=WHAT, default=WHAT)
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
    """Functions by what they do and by head."""
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
    maps[TORCHVISION] = maps['one-hot, 56x56'].clone()

    def learn(name):
        own = maps[name].requires_grad_()
        if name == TORCHVISION:
            loss = keypointrcnn_loss(own, [rois], [with_flags], [owner])
        else:
            loss = sum(heads[name].loss(own, rois, keypoints, visible).values())
        loss.backward()
        own.grad = None

    @torch.no_grad()
    def decode(name):
        if name == TORCHVISION:
            heatmaps_to_keypoints(maps[name], rois)
        else:
            heads[name].predict(maps[name], rois)

    return {
        what: {name: partial(func, name) for name in (TORCHVISION, *heads)}
        for what, func in zip(WHAT, (learn, decode), strict=True)
    }


def peak_memory(func):
    """Resident memory that a call takes at its peak, MB; None where /proc lacks it."""
    reset, status = Path('/proc/self/clear_refs'), Path('/proc/self/status')
    if not reset.exists():
        return None
    ctypes.CDLL(None).malloc_trim(0)  # else memory freed before would be reused
    reset.write_text('5')  # the peak begins anew

    def kilobytes():
        return int(re.search(r'VmHWM:\s*(\d+)', status.read_text())[1])

    before = kilobytes()
    func()
    return (kilobytes() - before) / 1024


def main(argv=None):
    args = parse_args(argv)
    use_one_thread()
    torch.manual_seed(0)
    rows = []
    for num_rois in args.rois:
        for what, functions in rivals(num_rois).items():
            if what not in args.what:
                continue
            memory = {name: peak_memory(func) for name, func in functions.items()}
            times = compare(functions, args.rounds)
            rows += [
                (
                    what,
                    num_rois,
                    name,
                    1e3 * seconds.min(),
                    median_ratio(seconds, times[TORCHVISION]),
                    memory[name],
                )
                for name, seconds in times.items()
            ]
    header = ('what', 'ROIs', 'head', 'ms', 'ratio to torchvision', 'peak, MB')
    print(format_table(header, rows))


if __name__ == '__main__':
    main()
