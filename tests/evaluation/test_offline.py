"""Predictions of detectors; those of top-down models are tested with the report."""

import contextlib
import io
import json

import mmengine
import numpy as np
import torch
from mmengine.config import Config
from mmpose.datasets import CocoDataset
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from xtcocotools.coco import COCO
from xtcocotools.cocoeval import COCOeval

from ogn_mm.evaluation import evaluate_predictions


def test_detectors_keypoints_are_evaluated_beside_their_boxes(
    generated_people, tmp_path
):
    ann_file = f'{generated_people}/annotations/val.json'
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(ann_file)
    rng = np.random.default_rng(0)
    samples, results = [], []
    for image_id in coco.getImgIds():
        people = coco.loadAnns(coco.getAnnIds(imgIds=image_id))
        poses = np.array([p['keypoints'] for p in people]).reshape(-1, 17, 3)
        poses[..., :2] += rng.normal(0, 3, poses[..., :2].shape)
        boxes = np.array([p['bbox'] for p in people], float)
        scores = rng.random(len(people))
        instances = dict(
            bboxes=np.c_[boxes[:, :2], boxes[:, :2] + boxes[:, 2:]],
            scores=scores,
            labels=np.zeros(len(people), int),
            keypoints=poses[..., :2],
            keypoint_scores=np.ones(poses.shape[:2]),
        )
        instances = {name: torch.tensor(value) for name, value in instances.items()}
        samples.append(dict(img_id=image_id, pred_instances=instances))
        results += [
            dict(
                image_id=image_id,
                category_id=1,
                keypoints=pose.ravel().tolist(),
                bbox=box.tolist(),
                score=score,
            )
            for pose, box, score in zip(poses, boxes, scores, strict=True)
        ]
    mmengine.dump(samples, tmp_path / 'found.pkl')
    evaluators = [
        dict(type='mmdet.CocoMetric', ann_file=ann_file, metric='bbox'),
        dict(type='mmpose.KeypointDetectionMetric', ann_file=ann_file),
    ]
    metainfo = parse_pose_metainfo(CocoDataset.METAINFO) | dict(classes=('person',))
    metric, figures, file = evaluate_predictions(
        Config(dict(test_evaluator=evaluators)),
        ann_file,
        metainfo,
        tmp_path / 'found.pkl',
        str(tmp_path),
    )
    with contextlib.redirect_stdout(io.StringIO()):
        coco_eval = COCOeval(coco, coco.loadRes(results), 'keypoints')
        coco_eval.evaluate()
        coco_eval.accumulate()
        coco_eval.summarize()
    assert list(figures.values()) == coco_eval.stats.tolist()
    assert 0.05 < figures['coco/AP'] < 0.95
    assert len(json.loads(file.read_text())) == len(results)
    assert metric.coco.getAnnIds() == coco.getAnnIds()
