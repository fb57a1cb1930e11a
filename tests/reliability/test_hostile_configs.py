"""Damaged configs of this package's classes: built, or one sentence about the field."""

import re

import numpy as np
import pytest
import torch
from damaged_json import damaged
from fuzzing import FUZZ, fuzz
from mmdet.registry import MODELS as DET_MODELS
from mmdet.registry import TASK_UTILS as DET_TASK_UTILS
from mmengine.config import Config, ConfigDict
from mmpose.registry import KEYPOINT_CODECS, METRICS, MODELS, TASK_UTILS, TRANSFORMS

import ogn_mm  # noqa: F401
from ogn_mm.engine.argument_check import annotations, check_arguments, own_classes
from ogn_mm.engine.config_check import check_config
from ogn_mm.engine.launch import summarize_error

CODEC = dict(
    type='OffsetHeatmap',
    input_size=(48, 64),
    heatmap_size=(12, 16),
    radius=1.5,
    sigma=1.0,
    kernel_size=5,
)
LOSS = dict(
    type='OffsetGuidedLoss',
    beta=1.0,
    normalize_by='disk',
    background_weight=0.5,
    loss_weight=1.0,
)
CONFIGS = [
    (KEYPOINT_CODECS, CODEC),
    (MODELS, LOSS),
    (
        MODELS,
        dict(
            type='OffsetHead',
            in_channels=8,
            out_channels=3,
            deconv_out_channels=(4, 4),
            deconv_kernel_sizes=(4, 4),
            final_layer=dict(kernel_size=1),
            loss=LOSS,
            decoder=CODEC,
        ),
    ),
    (
        DET_MODELS,
        dict(
            type='mmdet.OneHotKeypointHead',
            num_keypoints=3,
            roi_feat_size=(4, 6),
            in_channels=8,
            num_convs=2,
            conv_out_channels=4,
            loss_weight=1.0,
        ),
    ),
    (
        DET_MODELS,
        dict(
            type='mmdet.OffsetKeypointHead',
            num_keypoints=3,
            score_loss='smooth_l1',
            radius=1.5,
            loss=dict(type='mmpose.OffsetGuidedLoss', background_weight=0.1),
            roi_feat_size=(4, 6),
            in_channels=8,
            num_convs=1,
            conv_out_channels=4,
        ),
    ),
    (
        DET_TASK_UTILS,
        dict(
            type='mmdet.GreedyBoxGeneration',
            min_size=2.0,
            egt_score_thr=0.8,
            egt_iou_thr=0.5,
            group_iou_thr=0.7,
            top_n=4,
            max_num=10,
            best_as_egt=True,
        ),
    ),
    (
        DET_TASK_UTILS,
        dict(type='mmdet.BoxNMS', iou_threshold=0.5, min_size=1, max_num=9),
    ),
    (
        TASK_UTILS,
        dict(
            type='PoseTracker',
            cues=[
                dict(type='BoxIoU', weight=1.0),
                dict(type='FlowOKS', weight=0.5, sigmas=[0.1, 0.2], min_score=0.2),
                dict(type='ReIDDistance', weight=1.0, max_distance=0.5),
                dict(type='OKSSimilarity', sigmas=None, min_score=None),
            ],
            match_thr=0.3,
            score_thr=0.1,
            birth_score=0.1,
            max_gap=10,
            history=3,
            feature_momentum=0.8,
        ),
    ),
    (MODELS, dict(type='ColorStripes', stripes=6, bins=4, margin=0.2)),
    (TASK_UTILS, dict(type='DISFlow', preset='medium')),
    (
        TRANSFORMS,
        dict(
            type='RandomBBoxScaleRotate',
            image_scale=(0.9, 1.2),
            scale_prob=1.0,
            rotate_factor=30.0,
            rotate_prob=0.6,
        ),
    ),
    (TRANSFORMS, dict(type='RandomDetectedBox', share=0.5)),
    (
        TRANSFORMS,
        dict(
            type='RandomDetectorError',
            mean=[0.0, 0.0, 0.0, 0.0],
            covariance=(np.eye(4) / 100).tolist(),
            share=0.5,
            iou_thr=0.5,
        ),
    ),
    (
        METRICS,
        dict(
            type='PoseNMSCocoMetric',
            score_mode='bbox_keypoint',
            nms_mode='oks_iou_nms',
            nms_thr=0.75,
            iou_thr=0.6,
            combine='or',
        ),
    ),
]
KINDS = [config['type'] for _, config in CONFIGS]


def build(registry, config) -> None:
    """As a tool does: what is of a wrong type does not reach a constructor."""
    check_arguments(ConfigDict(config))
    with torch.device('meta'):  # which takes no memory, however large a layer is
        registry.build(ConfigDict(config))


@pytest.mark.parametrize('registry, config', CONFIGS, ids=KINDS)
def test_sound_configs(registry, config):
    build(registry, config)


@FUZZ
def test_damaged_configs(examples):
    registries = {config['type']: registry for registry, config in CONFIGS}
    contents = [config for _, config in CONFIGS]
    # the class, or one of its arguments, or what is no type of the registry
    arguments = set().union(*map(annotations, own_classes().values()))
    named = rf'\b({"|".join([*own_classes(), *arguments, "registry"])})\b'

    def check(config):
        kind = config.get('type') if isinstance(config, dict) else None
        if kind not in KINDS:
            return  # the registry's business
        try:
            build(registries[kind], config)
        except Exception as error:  # as tools do, whatever upstream raises
            message = summarize_error(error, 'a.py')
            assert re.search(named, message), message
            assert message.isprintable(), message

    fuzz(
        check,
        damaged(contents).filter(lambda c: isinstance(c, dict)),
        examples=examples,
    )


def test_the_place_in_the_config_is_named():
    head = dict(type='OffsetHead', in_channels=8, out_channels='17', loss=LOSS)
    cfg = Config(dict(model=dict(type='TopdownPoseEstimator', head=head)))
    message = r"`model\.head\.out_channels` of OffsetHead should be int, found '17'"
    with pytest.raises(ValueError, match=message):
        check_config(cfg)
    cfg.model.head.out_channels = 17
    cfg.model.head.loss = dict(LOSS, beta=float('nan'))
    message = (
        r'`model\.head\.loss\.beta` of OffsetGuidedLoss should be float, found nan'
    )
    with pytest.raises(ValueError, match=message):
        check_config(cfg)


def test_contradictory_sizes_are_named():
    for options in (
        dict(heatmap_size=(12, 15)),
        dict(input_size=(0, 64)),
        dict(radius=0.5),
    ):
        (name,) = options
        with pytest.raises(ValueError, match=name):
            build(KEYPOINT_CODECS, CODEC | options)
