"""Offset-guided Mask R-CNN on PoseTrack: configs, weights of COCO, ears."""

import ast
import json

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS, TASK_UTILS
from mmengine.evaluator import Evaluator
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from test_ogn_mask_rcnn_configs import CONFIGS, FOLDER, small_recipe
from tiny_detector import read_config

from ogn_mm.datasets import CocoKeypointDetectionDataset
from ogn_mm.engine.launch import OGNRunner

POSETRACK = ('posetrack17', 'posetrack18')


def test_posetrack_s_configs_say_the_same_of_their_rows():
    """Their texts differ in names alone, so that one of them stands for all."""
    texts = set()
    assert len(CONFIGS) == 8
    for base in CONFIGS:
        for data in POSETRACK:
            path = base.with_stem(base.stem.replace('coco', data))
            text = path.read_text().replace(base.stem, 'ROW').replace(data, 'DATA')
            texts.add(ast.dump(ast.parse(text)))
    assert len(texts) == 1


@pytest.mark.parametrize('data', POSETRACK)
def test_posetrack_begins_from_the_same_row_on_coco(data):
    """What differs is data, their evaluation, the learning rate and the start."""
    base = FOLDER / 'ogn-mask-rcnn_r101_fpn-rc_8xb2-1x_coco.py'
    path = base.with_stem(base.stem.replace('coco', data))
    config, coco = (read_config(p).to_dict() for p in (path, base))
    assert config['load_from'] == f'work_dirs/{base.stem}/epoch_12.pth'
    assert coco['load_from'] is None
    for split in ('train', 'val', 'test'):
        loader = config[f'{split}_dataloader']
        folder = 'train' if split == 'train' else 'val'
        ann_file = f'annotations/{data}_{folder}.json'
        assert loader['dataset']['data_root'] == f'data/{data}/'
        assert loader['dataset']['ann_file'] == ann_file
        metainfo = loader['dataset'].pop('metainfo')
        assert metainfo['from_file'].endswith('posetrack18.py')
        if split != 'train':
            files = {metric['ann_file'] for metric in config[f'{split}_evaluator']}
            assert files == {f'data/{data}/{ann_file}'}
    assert config['custom_hooks'].pop() == dict(type='mmpose.MapKeypointsHook')
    for own in (config, coco):
        own['optim_wrapper']['optimizer'].pop('lr')
        own.pop('load_from')
        for split in ('train', 'val', 'test'):
            for part in ('data_root', 'ann_file', 'data_prefix'):
                own[f'{split}_dataloader']['dataset'].pop(part)
            for metric in own.get(f'{split}_evaluator', []):
                metric.pop('ann_file')
        for key in [key for key in own if key.startswith('posetrack')]:
            own.pop(key)
    for part in ('rpn', 'rcnn'):
        for own, threshold in ((config, 0.5), (coco, -1)):
            assigner = own['model']['train_cfg'][part]['assigner']
            assert assigner.pop('ignore_iof_thr') == threshold
    assert config == coco


@pytest.mark.parametrize('part', ['rpn', 'rcnn'])
def test_what_lies_in_an_ignore_region_is_no_background(part):
    """MMDetection gives 0 to background, -1 to what does not count."""
    init_default_scope('mmdet')
    config = read_config(FOLDER / 'kpt-mask-rcnn_r50_fpn_8xb2-1x_posetrack18.py')
    assigner = TASK_UTILS.build(config.model.train_cfg[part].assigner)
    boxes = torch.tensor(
        [[0, 0, 20, 40], [110, 10, 130, 50], [190, 0, 230, 40], [300, 0, 320, 40.0]]
    )
    assigned = assigner.assign(
        InstanceData(priors=boxes),
        InstanceData(bboxes=boxes[:1], labels=torch.zeros(1, dtype=torch.long)),
        InstanceData(bboxes=torch.tensor([[100, 0, 200, 100.0]])),
    )
    # a person, in the region, a quarter in it, elsewhere
    assert assigned.gt_inds.tolist() == [1, -1, 0, 0]


def write_posetrack(people, root):
    """PoseTrack's keypoints of the generated people; ears are not labelled."""
    (root / 'annotations').mkdir()
    (root / 'images').symlink_to(people / 'images')
    for split in ('train', 'val'):
        content = json.loads((people / f'annotations/{split}.json').read_text())
        for person in content['annotations']:
            keypoints = np.array(person['keypoints'], float).reshape(17, 3)
            shoulders = keypoints[5:7].mean(axis=0)
            keypoints[1, :2] = shoulders[:2]
            keypoints[2, :2] = 2 * keypoints[0, :2] - shoulders[:2]
            keypoints[1:3, 2] = 2
            keypoints[3:5] = 0
            person['keypoints'] = keypoints.ravel().tolist()
            person['num_keypoints'] = int((keypoints[:, 2] > 0).sum())
        (root / f'annotations/{split}.json').write_text(json.dumps(content))


@pytest.mark.slow
def test_posetrack_learns_from_weights_of_coco(generated_people, tmp_path):
    """The head's channels are put in place; the ears do not learn."""
    posetrack, coco = tmp_path / 'data', str(tmp_path / 'coco.pth')
    posetrack.mkdir()
    write_posetrack(generated_people, posetrack)
    path = FOLDER / 'ogn-mask-rcnn_r50_fpn-rc_8xb2-1x_posetrack18.py'
    config = small_recipe(path, posetrack, tmp_path)
    config.load_from = coco
    config.optim_wrapper.optimizer.update(lr=1e-4, weight_decay=0)
    config.val_cfg = config.val_dataloader = config.val_evaluator = None
    config.train_cfg = dict(type='IterBasedTrainLoop', max_iters=1)
    model = MODELS.build(config.model)
    model.init_weights()
    meta = dict(dataset_meta=CocoKeypointDetectionDataset._load_metainfo())
    before = model.state_dict()
    torch.save(dict(state_dict=before, meta=meta), coco)

    runner = OGNRunner.from_cfg(config)
    runner.train()
    deconv = 'roi_head.keypoint_head.deconv.weight'
    offset = 'roi_head.keypoint_head.offset_deconv.weight'
    after = runner.model.state_dict()
    for ear in (3, 4):
        assert torch.equal(after[deconv][:, ear], before[deconv][:, ear])
        both = slice(2 * ear, 2 * ear + 2)
        assert torch.equal(after[offset][:, both], before[offset][:, both])
    for own, source in ((0, 0), (1, 0), (2, 0), (5, 5), (16, 16)):
        change = (after[deconv][:, own] - before[deconv][:, source]).abs().max()
        assert 0 < change < 5e-4


def test_ears_of_posetrack_do_not_count(generated_people, tmp_path):
    """Predictions with ears anywhere, and all else in place, are perfect."""
    init_default_scope('mmdet')
    write_posetrack(generated_people, tmp_path)
    config = small_recipe(
        FOLDER / 'kpt-mask-rcnn_r50_fpn_8xb2-1x_posetrack17.py', tmp_path, tmp_path
    )
    del config.val_dataloader.dataset['indices']
    loader = OGNRunner.build_dataloader(config.val_dataloader)
    evaluator = Evaluator(config.val_evaluator)
    evaluator.dataset_meta = loader.dataset.metainfo
    for batch in loader:
        (sample,) = batch['data_samples']
        found = sample.pred_instances = sample.gt_instances.clone()
        assert not found.keypoints_visible[:, 3:5].any()
        found.keypoints[:, 3:5] = 1000
        found.scores = torch.linspace(0.9, 0.8, len(found))
        found.keypoint_scores = torch.ones_like(found.keypoints_visible)
        evaluator.process([sample], batch)
    figures = evaluator.evaluate(len(loader.dataset))
    assert figures['coco/AP'] == pytest.approx(1)
    assert figures['coco/bbox_mAP'] == 1
