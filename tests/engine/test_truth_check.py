"""Metrics that need true keypoints are not given detected boxes, which have none."""

import json
import types

import pytest
from mmengine.evaluator import DumpResults, Evaluator
from mmpose.datasets import CocoDataset
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.evaluation import PCKAccuracy
from mmpose.registry import METRICS

from ogn_mm.datasets import ValidatedCocoDataset
from ogn_mm.engine.hooks import CheckKeypointsHook
from ogn_mm.engine.truth_check import check_truth

METAINFO = parse_pose_metainfo(CocoDataset.METAINFO)
PARTS = dict(partitions=dict(face=[0, 1, 2]), type='KeypointPartitionMetric')
NEEDY = [
    dict(type='PCKAccuracy'),
    dict(type='MpiiPCKAccuracy'),
    dict(type='JhmdbPCKAccuracy'),
    dict(type='AUC'),
    dict(type='EPE'),
    dict(type='NME', norm_mode='keypoint_distance', keypoint_indices=[5, 6]),
    dict(type='InterHandMetric', modes=['MPJPE']),
    dict(type='MPJPE'),
    dict(type='SimpleMPJPE'),
    dict(metric=dict(type='EPE'), **PARTS),
]


class MyPCK(PCKAccuracy):
    """A user's."""


@pytest.fixture
def ann_file(generated_people):
    return str(generated_people / 'annotations/val.json')


@pytest.fixture
def bbox_file(ann_file, tmp_path):
    with open(ann_file) as file:
        people = json.load(file)['annotations']
    found = [
        dict(image_id=p['image_id'], category_id=1, bbox=p['bbox'], score=0.9)
        for p in people
    ]
    path = tmp_path / 'found.json'
    path.write_text(json.dumps(found))
    return str(path)


def make_loop(evaluator, dataset):
    evaluator.dataset_meta = dataset.metainfo
    loader = types.SimpleNamespace(dataset=dataset)
    return types.SimpleNamespace(evaluator=evaluator, dataloader=loader)


def load(ann_file, bbox_file=None, cls=ValidatedCocoDataset):
    return cls(ann_file=ann_file, bbox_file=bbox_file, test_mode=True, lazy_init=True)


@pytest.mark.parametrize('config', NEEDY, ids=lambda config: config['type'])
@pytest.mark.parametrize('cls', [ValidatedCocoDataset, CocoDataset])
def test_metrics_of_mmpose(config, cls, ann_file, bbox_file):
    for metric in (METRICS.build(config), MyPCK()):
        evaluator = Evaluator([DumpResults('found.pkl'), metric])
        check_truth(make_loop(evaluator, load(ann_file, cls=cls)), 'test')
        loop = make_loop(evaluator, load(ann_file, bbox_file, cls))
        kind = type(metric).__name__
        with pytest.raises(
            ValueError, match=rf'`{kind}` of `test_evaluator` .* {bbox_file} have none;'
        ) as error:
            check_truth(loop, 'test')
        assert '\n' not in str(error.value)
        dataset = loop.dataloader.dataset
        wrapped = types.SimpleNamespace(dataset=dataset, metainfo=METAINFO)
        with pytest.raises(ValueError, match='samples of `val_dataloader`'):
            check_truth(make_loop(evaluator, wrapped), 'val')


def test_metrics_with_annotations_of_their_own(ann_file, bbox_file, tmp_path):
    configs = [
        dict(type=kind, ann_file=ann_file)
        for kind in ('CocoMetric', 'PoseNMSCocoMetric', 'mmdet.CocoMetric')
    ]
    out_file = str(tmp_path / 'people.json')
    configs.append(dict(type='mmdet.DetectionFile', out_file=out_file))
    loop = make_loop(Evaluator(configs), load(ann_file, bbox_file))
    check_truth(loop, 'test')


def test_each_of_several_datasets_has_its_own_metric(ann_file, bbox_file):
    """One may be tested on detected boxes, the other on annotated ones."""
    detected, annotated = load(ann_file, bbox_file), load(ann_file)
    annotated._metainfo['dataset_name'] = 'other'
    metrics = [METRICS.build(dict(type='CocoMetric', ann_file=ann_file)), PCKAccuracy()]
    evaluator = Evaluator(metrics)
    evaluator.metrics_dict = dict(zip(('coco', 'other'), metrics, strict=True))
    together = types.SimpleNamespace(datasets=[detected, annotated], metainfo=METAINFO)
    check_truth(make_loop(evaluator, together), 'test')
    evaluator.metrics_dict['coco'] = PCKAccuracy()
    with pytest.raises(ValueError, match='`PCKAccuracy` of `test_evaluator`'):
        check_truth(make_loop(evaluator, together), 'test')


@pytest.mark.parametrize('start', ['before_train', 'before_val', 'before_test'])
def test_before_anything_is_done(start, ann_file, bbox_file):
    loops = {}
    for name, path in (('train', None), ('val', bbox_file), ('test', bbox_file)):
        loop = make_loop(Evaluator(dict(type='EPE')), load(ann_file, path))
        loops |= {f'{name}_loop': loop, f'{name}_dataloader': loop.dataloader}
    runner = types.SimpleNamespace(model=types.SimpleNamespace(), **loops)
    with pytest.raises(ValueError, match='`EPE` of `(val|test)_evaluator`'):
        getattr(CheckKeypointsHook(), start)(runner)


def test_names_in_the_metrics_file(ann_file, tmp_path):
    """They are compared with the data set's even where it has another file."""
    with open(ann_file) as file:
        content = json.load(file)
    names = [METAINFO['keypoint_id2name'][i] for i in range(17)]
    path = tmp_path / 'truth.json'
    for listed in (names, ['muzzle', *names[1:]], [*names[1:], names[0]]):
        content['categories'][0]['keypoints'] = listed
        path.write_text(json.dumps(content))
        evaluator = Evaluator(dict(type='CocoMetric', ann_file=str(path)))
        loop = make_loop(evaluator, load(ann_file))
        if listed[0] != 'left_eye':
            check_truth(loop, 'test')
    with pytest.raises(ValueError, match=r"truth\.json: category .* 'left_eye', not"):
        check_truth(loop, 'test')
