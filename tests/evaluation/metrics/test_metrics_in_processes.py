"""Random cases: the official tools' figures, in one process and in several."""

import contextlib
import io
import json
import math

import numpy as np
import pycocotools.coco
import pycocotools.cocoeval
import pytest
import test_keypoint_detection_metric as boxes_and_poses
import test_pose_nms_coco_metric as top_down
import test_posetrack_metric as posetrack
import torch.distributed as dist
import torch.multiprocessing
import xtcocotools.coco
import xtcocotools.cocoeval
from mmengine.evaluator import Evaluator
from mmpose.datasets.datasets import CocoDataset
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from posetrack_scenes import random_scene, to_2018

from ogn_mm.evaluation.metrics import (
    KeypointDetectionMetric,
    PoseNMSCocoMetric,
    PoseTrackMetric,
)

META = parse_pose_metainfo(CocoDataset.METAINFO)
# Those that do not depend on the area of predictions, which the tools take otherwise.
FIGURES = {'AP': 0, 'AP .5': 1, 'AP .75': 2, 'AR': 5, 'AR .5': 6, 'AR .75': 7}
SEEDS = [0, 1, *(pytest.param(seed, marks=pytest.mark.full) for seed in range(2, 60))]


def official(tool, arguments, ann_file, results) -> dict:
    """Figures of pycocotools or xtcocotools."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = tool.coco.COCO(ann_file)
        found = truth.loadRes(results)
        scored = tool.cocoeval.COCOeval(truth, found, *arguments)
        scored.evaluate()
        scored.accumulate()
        scored.summarize()
    return {f'coco/{name}': scored.stats[i] for name, i in FIGURES.items()}


def by_hand(samples) -> list[dict]:
    """COCO's results, written down from a detector's predictions."""
    return [
        dict(
            image_id=sample['img_id'],
            category_id=1,
            keypoints=np.c_[pose, weights].ravel().tolist(),
            score=score,
        )
        for sample in samples
        for pose, weights, score in zip(
            sample['pred_instances']['keypoints'].numpy(),
            sample['pred_instances']['keypoint_scores'].numpy(),
            sample['pred_instances']['scores'].tolist(),
            strict=True,
        )
    ]


@pytest.mark.parametrize('seed', SEEDS)
def test_figures_are_those_of_the_official_tools(seed, tmp_path):
    truth, samples = boxes_and_poses.random_scene(12, seed=seed)
    ann_file = boxes_and_poses.write(truth, tmp_path)
    figures = boxes_and_poses.evaluate(KeypointDetectionMetric(ann_file), samples)
    results = by_hand(samples)
    for tool, arguments in (
        (pycocotools, ('keypoints',)),
        (xtcocotools, ('keypoints', META['sigmas'])),
    ):
        expected = official(tool, arguments, ann_file, results)
        assert {name: figures[name] for name in expected} == pytest.approx(
            expected, abs=1e-12
        )
    assert 0 < figures['coco/AP'] < 1


def make_case(seed, folder):
    """Metrics, each with its metainfo and a list of samples."""
    rng = np.random.default_rng(seed)
    (folder / 'a').mkdir()
    (folder / 'b').mkdir()
    (folder / 'videos').mkdir()
    truth, poses = top_down.random_scene(9, seed)
    (folder / 'a/truth.json').write_text(json.dumps(truth))
    detected_truth, detected = boxes_and_poses.random_scene(11, seed=seed)
    boxes_and_poses.write(detected_truth, folder / 'b')
    frames = []
    for name in ('000001_mpii_test', '000002_bonn_test'):
        people, found, regions = random_scene(rng, num_frames=5)
        content = to_2018(people, regions, video=name)
        (folder / f'videos/{name}.json').write_text(json.dumps(content))
        frames += [posetrack.to_sample(name, i, some) for i, some in enumerate(found)]
    return [
        (PoseNMSCocoMetric, dict(ann_file=str(folder / 'a/truth.json')), META, poses),
        (
            KeypointDetectionMetric,
            dict(ann_file=str(folder / 'b/truth.json')),
            boxes_and_poses.META,
            detected,
        ),
        (
            PoseTrackMetric,
            dict(gt_dir=str(folder / 'videos'), hota=False),
            posetrack.META,
            frames,
        ),
    ]


def evaluate(case, choose) -> list[dict]:
    """Figures of all metrics; ``choose`` gives this process's samples, by place."""
    figures = []
    for cls, arguments, meta, samples in case:
        evaluator = Evaluator([cls(**arguments)])
        evaluator.dataset_meta = meta
        places = choose(len(samples))
        for start in range(0, len(places), 4):  # the last batch is smaller
            batch = [samples[place] for place in places[start : start + 4]]
            evaluator.process(batch)
        figures.append(evaluator.evaluate(len(samples)))
    return figures


def padded(rank, world, count):
    """MMEngine's sampler with ``round_up``: the first samples come again."""
    each = math.ceil(count / world)
    return [place % count for place in range(rank, each * world, world)]


def uneven(rank, world, count):
    """One process has one sample, the last none, the first the others."""
    shards = [range(1, count), range(1), range(0)]
    return list(shards[rank]) if world == 3 else list((shards[0], shards[1])[rank])


def empty(rank, world, count):
    """All samples in the last process."""
    return list(range(count)) if rank == world - 1 else []


def in_turns(rank, world, count):
    """MMEngine's sampler without ``round_up``."""
    return list(range(rank, count, world))


def evaluate_in_process(rank, world, case, shard, folder):
    dist.init_process_group(
        'gloo', init_method=f'file://{folder}/rendezvous', rank=rank, world_size=world
    )
    figures = evaluate(case, lambda count: shard(rank, world, count))
    (folder / f'{rank}.json').write_text(json.dumps(figures))
    dist.destroy_process_group()


@pytest.mark.parametrize(
    'world, shard',
    [(2, padded), (2, uneven), (3, uneven)]
    + [
        pytest.param(world, shard, marks=pytest.mark.full)
        for world, shard in [
            *((2, empty), (2, in_turns), (3, padded), (3, empty), (3, in_turns))
        ]
    ],
)
def test_several_processes_give_what_one_gives(world, shard, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where MMEngine collects
    case = make_case(world, tmp_path)
    expected = evaluate(case, lambda count: range(count))
    torch.multiprocessing.start_processes(
        evaluate_in_process,
        args=(world, case, shard, tmp_path),
        nprocs=world,
        start_method='fork',  # the others import everything again
    )
    for rank in range(world):
        figures = json.loads((tmp_path / f'{rank}.json').read_text())
        assert figures == json.loads(json.dumps(expected))
    assert 0 < expected[0]['coco/AP'] < 1 and 0 < expected[1]['coco/AP'] < 1
    assert 0 < expected[2]['posetrack/AP'] < 100
