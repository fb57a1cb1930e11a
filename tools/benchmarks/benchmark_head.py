r"""Time OffsetHead.predict beside MMPose's HeatmapHead: what share is decoding?

    OMP_NUM_THREADS=1 python tools/benchmarks/benchmark_head.py

A head is written as CHANNELS:WxH:DECONVS, the features that it reads and its number
of deconvolutions with 256 channels each: 256:12x16:0 is a light head that reads its
features at heatmap resolution, 2048:6x8:1 stands behind a ResNet-50. Without a
deconvolution the forward pass is short, so that decoding weighs most.

Where there is a GPU, the script also counts what `predict` copies to the host.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import torch
from mmpose.models.heads import HeatmapHead
from mmpose.structures import PoseDataSample
from torch.profiler import ProfilerActivity, profile

from ogn_mm.models.heads import OffsetHead
from timing import compare, format_table, median_ratio, use_one_thread

NUM_KEYPOINTS = 17
DEFAULT_HEADS = ('256:12x16:0', '512:12x16:0', '512:6x8:1', '2048:6x8:1', '512:6x8:2')


def parse_head(text):
    """CHANNELS:WxH:DECONVS as (text, (channels, (w, h), deconvolutions))."""
    try:
        channels, size, deconvs = text.split(':')
        width, height = map(int, size.split('x'))
        return text, (int(channels), (width, height), int(deconvs))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f'expected CHANNELS:WxH:DECONVS, e.g. 512:6x8:1: {text}'
        ) from None


def build_heads(channels, size, deconvs):
    """The heads by codec, in test mode."""
    heatmap_size = tuple(length * 2**deconvs for length in size)
    stride = max(1, 192 // heatmap_size[0])
    sizes = dict(
        input_size=tuple(length * stride for length in heatmap_size),
        heatmap_size=heatmap_size,
    )
    sigma = 1 if stride >= 16 else 2
    common = dict(
        in_channels=channels,
        deconv_out_channels=(256,) * deconvs or None,
        deconv_kernel_sizes=(4,) * deconvs or None,
    )
    msra = dict(type='MSRAHeatmap', sigma=sigma, **sizes)
    udp = dict(type='UDPHeatmap', heatmap_type='combined', **sizes)
    heads = {
        'MSRA': HeatmapHead(out_channels=NUM_KEYPOINTS, decoder=msra, **common),
        'DARK': HeatmapHead(
            out_channels=NUM_KEYPOINTS, decoder=dict(msra, unbiased=True), **common
        ),
        'UDP combined': HeatmapHead(
            out_channels=3 * NUM_KEYPOINTS, decoder=udp, **common
        ),
        'OffsetHeatmap': OffsetHead(
            out_channels=NUM_KEYPOINTS,
            decoder=dict(type='OffsetHeatmap', **sizes),
            **common,
        ),
    }
    return {name: head.eval() for name, head in heads.items()}


def build_inputs(spec, people):
    """Features and data samples as ``predict`` takes them."""
    channels, (width, height), _ = spec
    samples = [PoseDataSample() for _ in range(people)]
    for sample in samples:
        sample.set_metainfo(dict(flip_indices=list(range(NUM_KEYPOINTS))))
    return (torch.randn(people, channels, height, width),), samples


@torch.no_grad()
def time_heads(spec, people, rounds):
    """Yield rows of codec, flip test, ms to predict and to decode, decode's share."""
    feats, samples = build_inputs(spec, people)
    heads = build_heads(*spec)
    calls = {}
    for name, head in heads.items():
        maps = head(feats)
        mode = 'udp_combined' if name == 'UDP combined' else 'heatmap'
        flip = dict(flip_test=True, flip_mode=mode, shift_heatmap=False)
        calls[name, 'decode'] = lambda head=head, maps=maps: head.decode(maps)
        calls[name, 'no'] = lambda head=head: head.predict(feats, samples)
        calls[name, 'yes'] = lambda head=head, flip=flip: head.predict(
            [feats, feats], samples, flip
        )
    seconds = compare(calls, rounds)
    for name in heads:
        decode = seconds[name, 'decode']
        for flipped in ('no', 'yes'):
            predict = seconds[name, flipped]
            yield (
                name,
                flipped,
                1e3 * np.median(predict),
                1e3 * np.median(decode),
                f'{100 * median_ratio(decode, predict):.1f} %',
            )


@torch.no_grad()
def copied_to_host(head, feats, samples):
    """Bytes that ``predict`` copies from the GPU to the host."""
    head.predict(feats, samples)  # the first call may copy constants
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as profiler:
        head.predict(feats, samples)
        torch.cuda.synchronize()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'trace.json'
        profiler.export_chrome_trace(str(path))
        events = json.loads(path.read_text())['traceEvents']
    return sum(
        event['args']['bytes'] for event in events if 'DtoH' in event.get('name', '')
    )


def gpu_rows(specs, people):
    """Yield rows of head, codec, KB copied to the host and the maps' KB."""
    for text, spec in specs.items():
        feats, samples = build_inputs(spec, people)
        feats = (feats[0].cuda(),)
        for name, head in build_heads(*spec).items():
            head.cuda()
            copied = copied_to_host(head, feats, samples)
            maps = head(feats)
            maps_size = maps.numel() * maps.element_size()
            yield text, name, copied / 1024, maps_size / 1024


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--heads',
        nargs='+',
        type=parse_head,
        default=dict(map(parse_head, DEFAULT_HEADS)),
        metavar='CHANNELS:WxH:DECONVS',
    )
    parser.add_argument('--people', type=int, default=64, help='in a batch')
    parser.add_argument('--rounds', type=int, default=15)
    args = parser.parse_args(argv)
    args.heads = dict(args.heads)
    return args


def main(argv=None):
    args = parse_args(argv)
    use_one_thread()
    header = ('head', 'codec', 'flip test', 'predict, ms', 'decode, ms', 'share')
    rows = [
        (text, *row)
        for text, spec in args.heads.items()
        for row in time_heads(spec, args.people, args.rounds)
    ]
    print(format_table(header, rows))
    if not torch.cuda.is_available():
        print('\nNo GPU: what predict copies to the host was not counted.')
        return
    header = ('head', 'codec', 'copied to the host, KB', 'all maps, KB')
    print('\n' + format_table(header, list(gpu_rows(args.heads, args.people))))


if __name__ == '__main__':
    main()
