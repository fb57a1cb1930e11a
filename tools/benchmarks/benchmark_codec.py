r"""Time encoding and decoding, as ratios to MMPose's combined UDP in the same run.

    OMP_NUM_THREADS=1 python tools/benchmarks/benchmark_codec.py

Encoding takes one person. Decoding takes a batch, smoothing included, as in
testing: OffsetHeatmap decodes it at once, MMPose's codecs person by person. It is
timed on targets with noise, as a network gives them, and on noise alone.
"""

import argparse

import numpy as np
from mmpose.codecs import MSRAHeatmap, UDPHeatmap

from ogn_mm.codecs import OffsetHeatmap
from timing import compare, comparison_rows, format_table, use_one_thread

BASELINE = 'UDP combined'
NUM_KEYPOINTS = 17


def build_codecs(heatmap_size, stride):
    """The rivals by name; sigma is the one that suits the stride."""
    sizes = dict(
        input_size=tuple(size * stride for size in heatmap_size),
        heatmap_size=heatmap_size,
    )
    sigma = 1 if stride >= 16 else 2
    return {
        BASELINE: UDPHeatmap(**sizes, heatmap_type='combined'),
        'MSRA': MSRAHeatmap(**sizes, sigma=sigma),
        'DARK': MSRAHeatmap(**sizes, sigma=sigma, unbiased=True),
        'OffsetHeatmap': OffsetHeatmap(**sizes),
    }


def sample_people(codec, people, rng):
    """Keypoints inside the input, (P, 1, K, 2)."""
    return rng.uniform(0, codec.input_size, (people, 1, NUM_KEYPOINTS, 2))


def target_maps(codec, keypoints):
    """What a perfect head would give for one person, float32."""
    encoded = codec.encode(keypoints)
    maps = [encoded[key] for key in ('heatmaps', 'offsets') if key in encoded]
    return np.concatenate(maps).astype(np.float32)


def decode_all(codec, maps):
    if codec.support_batch_decoding:
        return codec.batch_decode(maps)
    return [codec.decode(person) for person in maps]


def encoders(codecs, rng):
    """A call that encodes one person, by codec."""
    person = sample_people(codecs[BASELINE], 1, rng)[0]
    visible = np.ones(person.shape[:2], np.float32)
    return {
        name: lambda codec=codec: codec.encode(person, visible)
        for name, codec in codecs.items()
    }


def decoders(codecs, people, signal, rng):
    """A call that decodes all people, by codec; ``signal`` is 0 for pure noise."""
    keypoints = sample_people(codecs[BASELINE], people, rng)
    calls = {}
    for name, codec in codecs.items():
        maps = np.stack([target_maps(codec, person) for person in keypoints])
        maps *= signal
        maps += 0.1 * rng.standard_normal(maps.shape, np.float32)
        calls[name] = lambda codec=codec, maps=maps: decode_all(codec, maps)
    return calls


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--sizes',
        nargs='+',
        default=['12x16', '24x32', '48x64'],
        metavar='WxH',
        help='heatmap sizes; the input is 192 pixels wide, or the next multiple',
    )
    parser.add_argument('--people', type=int, default=64, help='in a decoded batch')
    parser.add_argument('--rounds', type=int, default=30)
    args = parser.parse_args(argv)
    args.sizes = [tuple(map(int, size.split('x'))) for size in args.sizes]
    return args


def main(argv=None):
    args = parse_args(argv)
    use_one_thread()
    rows = []
    for size in args.sizes:
        codecs = build_codecs(size, stride=max(1, 192 // size[0]))
        rng = np.random.default_rng(0)
        for task, calls in (
            ('encode', encoders(codecs, rng)),
            ('decode', decoders(codecs, args.people, 1, rng)),
            ('decode noise', decoders(codecs, args.people, 0, rng)),
        ):
            per_call = 1 if task == 'encode' else args.people
            for name, time, ratio in comparison_rows(
                compare(calls, args.rounds), BASELINE
            ):
                rows.append(
                    (f'{size[0]}x{size[1]}', task, name, time / per_call, ratio)
                )
    print(
        format_table(
            ('heatmap', 'task', 'codec', 'us a person', f'ratio to {BASELINE}'), rows
        )
    )


if __name__ == '__main__':
    main()
