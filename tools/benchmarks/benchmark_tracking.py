r"""Time association alone, as ratios to MMDetection's SORT on the same boxes.

    OMP_NUM_THREADS=1 python tools/benchmarks/benchmark_tracking.py

People walk at random; now and then one is missed. Boxes, poses and features are given:
neither networks nor optical flow are timed. SORT matches by a Kalman filter and IoU.
"""

import argparse

import numpy as np
import torch
from mmdet.models.trackers import SORTTracker, sort_tracker
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from scipy.optimize import linear_sum_assignment

from ogn_mm.models import PoseTracker
from timing import compare, comparison_rows, format_table, use_one_thread

# SORT takes it from motmetrics, which need not be installed and hands it to scipy.
sort_tracker.motmetrics = sort_tracker.motmetrics or linear_sum_assignment
sort_tracker.linear_sum_assignment = linear_sum_assignment

BASELINE = 'MMDetection SORT'
RIVALS = {
    'IoU': ('BoxIoU',),
    'IoU, features': ('BoxIoU', 'ReIDDistance'),
    'IoU, flow': ('BoxIoU', 'FlowOKS'),
    'IoU, features, flow': ('BoxIoU', 'ReIDDistance', 'FlowOKS'),
}
IMAGE_SIZE = (1280, 720)


def sample_frames(people: int, frames: int, rng) -> list[dict]:
    """Columns of detections, frame by frame."""
    size = rng.uniform(60, 200, (people, 1)) * (0.5, 1)
    corner = rng.uniform(0, IMAGE_SIZE, (people, 2))
    speed = rng.normal(0, 3, (people, 2))
    pose = rng.random((people, 17, 2)) * size[:, None]
    features = rng.normal(size=(people, 128))
    sampled = []
    for _ in range(frames):
        corner += speed + rng.normal(0, 1, corner.shape)
        found = rng.random(people) > 0.05
        low = corner[found]
        joints = low[:, None] + pose[found]
        sampled.append(
            dict(
                bboxes=np.concatenate([low, low + size[found]], axis=1),
                scores=np.full(len(low), 0.9),
                poses=np.concatenate([joints, np.ones_like(joints[..., :1])], axis=-1),
                features=features[found] + rng.normal(0, 0.1, features[found].shape),
            )
        )
    return sampled


def build_trackers(frames: list[dict]):
    """By rival: a call that tracks all frames and returns the number of identities."""
    samples = []
    for number, frame in enumerate(frames):
        sample = DetDataSample(metainfo=dict(frame_id=number))
        sample.pred_instances = InstanceData(
            bboxes=torch.from_numpy(frame['bboxes']).float(),
            scores=torch.from_numpy(frame['scores']).float(),
            labels=torch.zeros(len(frame['scores']), dtype=torch.long),
        )
        samples.append(sample)

    def track_by_sort():
        motion = dict(type='mmdet.KalmanFilter')
        tracker = SORTTracker(motion, reid=None, match_iou_thr=0.5)
        for sample in samples:
            tracker.track(None, None, sample)
        return int(tracker.num_tracks)

    def track(cues):
        tracker = PoseTracker([dict(type=cue) for cue in cues])
        for frame in frames:
            tracker.update(frame)
        return tracker.next_id

    ours = {name: lambda cues=cues: track(cues) for name, cues in RIVALS.items()}
    return {BASELINE: track_by_sort} | ours


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--people', type=int, nargs='+', default=[5, 20, 100])
    parser.add_argument('--frames', type=int, default=30)
    parser.add_argument('--rounds', type=int, default=5)
    return parser.parse_args(argv)


def main(argv=None):
    args = parse_args(argv)
    use_one_thread()
    rows = []
    for people in args.people:
        rng = np.random.default_rng(0)
        rivals = build_trackers(sample_frames(people, args.frames, rng))
        for name, time, ratio in comparison_rows(
            compare(rivals, args.rounds), BASELINE
        ):
            time_of_frame = time / 1000 / args.frames
            rows.append((people, name, rivals[name](), time_of_frame, ratio))
    header = ('people', 'tracker', 'identities', 'ms a frame', f'ratio to {BASELINE}')
    print(format_table(header, rows))


if __name__ == '__main__':
    main()
