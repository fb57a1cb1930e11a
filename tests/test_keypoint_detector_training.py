"""Mask R-CNN with keypoints trained as users do: from files, by tools/train.py."""

from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from tiny_detector import load_tiny

from ogn_mm.datasets.generated_people import generate_dataset

ROOT = Path(__file__).parents[1]
ROW_C = ROOT / 'configs/ogn_mask_rcnn/ogn-mask-rcnn_r50_fpn-rc_8xb2-1x_coco.py'
WIDTH = 32  # channels of the pyramid and the heads


def small_config(data, work_dir) -> Config:
    """Row c behind a quarter of ResNet-18, learnt from scratch on a CPU."""
    init_default_scope('mmdet')
    config = load_tiny(ROW_C)
    roi_head = dict(
        bbox_roi_extractor=dict(out_channels=WIDTH, roi_layer=dict(sampling_ratio=2)),
        bbox_head=dict(in_channels=WIDTH, fc_out_channels=64),
        keypoint_roi_extractor=dict(
            out_channels=WIDTH, roi_layer=dict(sampling_ratio=2, output_size=(11, 8))
        ),
        keypoint_head=dict(
            in_channels=WIDTH,
            num_convs=2,
            conv_out_channels=WIDTH,
            roi_feat_size=(11, 8),
        ),
    )
    train_cfg = dict(
        rpn=dict(sampler=dict(num=64)),
        rpn_proposal=dict(nms_pre=200, max_per_img=100),
        rcnn=dict(sampler=dict(num=32)),
    )
    test_cfg = dict(rpn=dict(nms_pre=200, max_per_img=50), rcnn=dict(max_per_img=10))
    config.merge_from_dict(
        dict(
            model=dict(
                backbone=dict(base_channels=16, norm_eval=False),
                neck=dict(in_channels=[16, 32, 64, 128], out_channels=WIDTH),
                rpn_head=dict(in_channels=WIDTH, feat_channels=WIDTH),
                roi_head=roi_head,
                train_cfg=train_cfg,
                test_cfg=test_cfg,
            ),
            work_dir=str(work_dir),
        )
    )
    for split in ('train', 'val', 'test'):
        loader = config[f'{split}_dataloader']
        loader.update(num_workers=0, persistent_workers=False)
        folder = 'train' if split == 'train' else 'val'
        loader.dataset.update(
            data_root=str(data),
            ann_file=f'annotations/{folder}.json',
            data_prefix=dict(img=f'images/{folder}/'),
        )
        for step in loader.dataset.pipeline:
            if 'Resize' in step.type:
                step.clear()
                step.update(type='Resize', scale=(160, 128), keep_ratio=True)
        for metric in config.get(f'{split}_evaluator') or []:
            metric.ann_file = f'{data}/annotations/val.json'
    config.default_hooks.logger.interval = 25
    return config


@pytest.mark.slow
def test_row_c_learns_boxes_and_keypoints(tmp_path):
    """From scratch, on images that it has not seen."""
    generate_dataset(
        tmp_path, dict(train=160, val=40), seed=0, size=(160, 128), max_people=2
    )
    config = small_config(tmp_path, tmp_path / 'work')
    config.train_dataloader.update(batch_size=4, batch_sampler=None)
    config.optim_wrapper = dict(
        type='OptimWrapper',
        optimizer=dict(type='AdamW', lr=2e-3, weight_decay=0.01),
        clip_grad=dict(max_norm=10),
    )
    config.param_scheduler = [
        dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=30),
        dict(
            type='CosineAnnealingLR', T_max=8, by_epoch=True, convert_to_iter_based=True
        ),
    ]
    config.train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=8, val_interval=8)
    runner = Runner.from_cfg(config)
    runner.train()
    figures = {
        name: runner.message_hub.get_scalar(f'val/coco/{name}').current()
        for name in ('bbox_mAP', 'AP')
    }
    assert figures['bbox_mAP'] > 0.3 and figures['AP'] > 0.1, figures
