r"""Time pose NMS of one image, as ratios to MMPose's `oks_nms` in the same run.

    OMP_NUM_THREADS=1 python tools/benchmarks/benchmark_pose_nms.py

People stand at random in one image, each found several times, as after Greedy Box
Generation. All get the list of dictionaries that `CocoMetric` hands to its NMS.
"""

import argparse

import numpy as np
from mmpose.datasets.datasets import CocoDataset
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.evaluation.functional import oks_nms

from ogn_mm.evaluation.metrics import PoseNMSCocoMetric
from timing import compare, comparison_rows, format_table, use_one_thread

BASELINE = 'MMPose oks_nms'
OKS_THR = 0.75
IMAGE_SIZE = (640, 480)


def sample_instances(num_poses, boxes_per_person, rng):
    """Poses of an image; the boxes and poses of a person differ by a few percent."""
    people = -(-num_poses // boxes_per_person)
    center = rng.uniform(0, IMAGE_SIZE, (people, 1, 2))
    size = rng.uniform(40, 200, (people, 1, 1)) * (0.5, 1)
    pose = rng.uniform(-0.5, 0.5, (people, 17, 2))
    instances = []
    for i in range(num_poses):
        person = i % people
        jittered = pose[person] + rng.normal(0, 0.02, (17, 2))
        keypoints = center[person] + size[person] * jittered
        extent = size[person, 0] * rng.normal(1, 0.05, 2)
        corner = center[person, 0] - extent / 2 + rng.normal(0, 0.03, 2) * extent
        scored = np.c_[keypoints, rng.random(17)]
        instances.append(
            dict(
                keypoints=scored.astype(np.float32),
                score=rng.random(),
                area=np.float32(1.25**2 * size[person].prod()),
                bbox=np.float32([*corner, *extent]),
            )
        )
    return instances


def build_selections(instances):
    """By rival: a call that returns the kept poses."""
    metainfo = parse_pose_metainfo(CocoDataset.METAINFO)
    rivals = {
        BASELINE: lambda: oks_nms(instances, OKS_THR, metainfo['sigmas']),
    }
    for name, nms_mode in (('OKS', 'oks_nms'), ('OKS + IoU', 'oks_iou_nms')):
        metric = PoseNMSCocoMetric(nms_mode=nms_mode, nms_thr=OKS_THR)
        metric.dataset_meta = metainfo
        rivals[name] = lambda metric=metric: metric.select(instances)
    return rivals


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--poses', type=int, nargs='+', default=[20, 100, 500], help='in the image'
    )
    parser.add_argument(
        '--boxes-per-person', type=int, default=4, help='so many poses of each'
    )
    parser.add_argument('--rounds', type=int, default=10)
    return parser.parse_args(argv)


def main(argv=None):
    args = parse_args(argv)
    use_one_thread()
    rows = []
    for num_poses in args.poses:
        rng = np.random.default_rng(0)
        rivals = build_selections(
            sample_instances(num_poses, args.boxes_per_person, rng)
        )
        for name, time, ratio in comparison_rows(
            compare(rivals, args.rounds), BASELINE
        ):
            rows.append((num_poses, name, len(rivals[name]()), time / 1000, ratio))
    print(format_table(('poses', 'NMS', 'kept', 'ms', f'ratio to {BASELINE}'), rows))


if __name__ == '__main__':
    main()
