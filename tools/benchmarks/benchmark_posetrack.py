r"""Time the PoseTrack evaluator on generated sequences, part by part.

    OMP_NUM_THREADS=1 python tools/benchmarks/benchmark_posetrack.py

People walk through each other with noisy joints, swapped ids and people that are not
found. Seconds are CPU time of one process; MOTA shows how hard the scene is.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

import ogn_mm  # noqa: F401
from ogn_mm.evaluation.functional import (
    PoseSequence,
    PoseTrackReport,
    read_posetrack,
    write_posetrack,
)
from timing import format_table, use_one_thread

HEAD = 30.0  # head size in pixels


def sample_sequence(num_frames, num_people, rng):
    """Ground truth and predictions of one sequence, as `PoseSequence`."""
    frames = np.repeat(np.arange(num_frames), num_people)
    start = rng.uniform((100, 100), (1800, 900), (num_people, 1, 2))
    speed = rng.normal(0, 4, (num_people, 1, 2))
    shape = rng.normal(0, 40, (num_people, 15, 2))
    time_step = np.arange(num_frames)[:, None, None, None]
    joints = (start + speed * time_step + shape).reshape(-1, 15, 2)
    ids = np.tile(np.arange(num_people), (num_frames, 1))
    truth = PoseSequence(
        source='truth',
        num_frames=num_frames,
        labelled=np.ones(num_frames, bool),
        frames=frames,
        track_ids=ids.ravel().copy(),
        keypoints=joints,
        exist=rng.random((len(frames), 15)) < 0.9,
        scores=np.zeros((len(frames), 15)),
        head_sizes=np.full(len(frames), HEAD),
    )
    for frame in np.flatnonzero(rng.random(num_frames) < 0.3):
        pair = rng.integers(0, num_people, 2)
        ids[frame:, pair] = ids[frame:, pair[::-1]]
    found = truth._replace(
        source='predictions',
        track_ids=ids.ravel(),
        keypoints=joints + rng.normal(0, HEAD / 6, joints.shape),
        exist=rng.random(truth.exist.shape) < 0.95,
        scores=rng.random(truth.exist.shape),
    )
    return truth, found.take(rng.random(len(frames)) < 0.92)


def evaluate(sequences, **kwargs):
    """A report on the sequences."""
    report = PoseTrackReport(**kwargs)
    for number, (truth, found) in enumerate(sequences):
        report.add(str(number), truth, found)
    return report.build()


def write(folder, sequences, num_frames):
    """Write what is predicted; the paths of the files."""
    frames = [
        dict(id=i, file_name=f'000001_mpii_test/{i:06d}.jpg') for i in range(num_frames)
    ]
    paths = [Path(folder) / f'{number}.json' for number in range(len(sequences))]
    for path, (_, found) in zip(paths, sequences, strict=True):
        write_posetrack(path, frames, found)
    return paths


def timed(call):
    """What a call returns, and its CPU seconds."""
    start = time.process_time()
    result = call()
    return result, time.process_time() - start


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--sequences', type=int, default=50)
    parser.add_argument('--frames', type=int, default=100)
    parser.add_argument('--people', type=int, default=20)
    parser.add_argument('--hota', action='store_true', help='HOTA and IDF1 as well')
    return parser.parse_args(argv)


def main(argv=None):
    args = parse_args(argv)
    use_one_thread()
    rng = np.random.default_rng(0)
    sequences = [
        sample_sequence(args.frames, args.people, rng) for _ in range(args.sequences)
    ]
    with tempfile.TemporaryDirectory() as folder:
        paths = write(folder, sequences, args.frames)
        _, seconds = timed(
            lambda: [read_posetrack(path, truth=False) for path in paths]
        )
    rows = [('reading the predictions', seconds)]
    _, seconds = timed(lambda: evaluate(sequences, tracking=False))
    rows.append(('AP', seconds))
    report, seconds = timed(lambda: evaluate(sequences))
    rows.append(('AP and MOTA', seconds))
    if args.hota:
        _, seconds = timed(lambda: evaluate(sequences, hota=True))
        rows.append(('AP, MOTA, HOTA and IDF1', seconds))
    print(format_table(('part', 'seconds'), rows))
    print(f'MOTA {report["mot"]["mota_total"]:.1f}')


if __name__ == '__main__':
    main()
