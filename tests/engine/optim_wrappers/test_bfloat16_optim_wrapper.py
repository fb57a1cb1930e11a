import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmengine.structures import InstanceData, PixelData
from mmpose.registry import KEYPOINT_CODECS, MODELS
from mmpose.structures import PoseDataSample
from torch import nn

from ogn_mm.engine.optim_wrappers import bfloat16_optim_wrapper


@pytest.fixture(autouse=True)
def native(monkeypatch, request):
    """What the tests find must not depend on the CPU that they run on."""
    value = getattr(request, 'param', True)
    monkeypatch.setattr(bfloat16_optim_wrapper, 'computes_in_bfloat16', lambda _: value)


def build(model, **options):
    init_default_scope('mmpose')
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    wrapper = Runner.build_optim_wrapper(
        None, dict(type='Bfloat16OptimWrapper', optimizer=optimizer, **options)
    )
    return wrapper


def test_forward_in_bfloat16_weights_in_float32():
    """1 + 2 ** -9 rounds to 1 in bfloat16; the step keeps float32's digits."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 1 + 2**-9)
    wrapper = build(model)
    with wrapper.optim_context(model):
        output = model(torch.ones(1, 1))
    assert output.dtype == torch.bfloat16 and output.item() == 1
    wrapper.update_params(output.float().sum() * 2**-8)
    assert model.weight.dtype == torch.float32
    # the gradient is 2 ** -8, the learning rate 0.5
    assert model.weight.item() == 1


def test_gradients_accumulate():
    """As in MMEngine's wrapper, which this one only extends."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 1.0)
    wrapper = build(model, accumulative_counts=2)
    for expected in (1.0, 0.5):
        with wrapper.optim_context(model):
            loss = model(torch.ones(1, 1)).float().sum()
        wrapper.update_params(loss)
        assert model.weight.item() == expected


@pytest.mark.parametrize('native', [False], indirect=True)
def test_float32_where_bfloat16_would_be_slow():
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 1 + 2**-9)
    wrapper = build(model)
    with wrapper.optim_context(model):
        output = model(torch.ones(1, 1))
    assert output.dtype == torch.float32 and output.item() == 1 + 2**-9


def label(codec, keypoints):
    """A person's training targets, as the pipeline packs them."""
    encoded = KEYPOINT_CODECS.build(codec).encode(keypoints)
    sample = PoseDataSample(gt_fields=PixelData(), gt_instance_labels=InstanceData())
    for name, value in encoded.items():
        value = torch.from_numpy(value).float()
        fields = name == 'heatmaps'
        (sample.gt_fields if fields else sample.gt_instance_labels).set_data(
            {name: value}
        )
    return sample


HEATMAP = dict(type='MSRAHeatmap', input_size=(32, 32), heatmap_size=(8, 8), sigma=1.0)
SIMCC = dict(type='SimCCLabel', input_size=(32, 32), sigma=2.0, simcc_split_ratio=2.0)


@pytest.mark.parametrize(
    'head',
    [
        dict(
            type='HeatmapHead',
            deconv_out_channels=None,
            loss=dict(type='KeypointMSELoss', use_target_weight=True),
            decoder=HEATMAP,
        ),
        dict(
            type='SimCCHead',
            input_size=(32, 32),
            in_featuremap_size=(8, 8),
            deconv_out_channels=None,
            loss=dict(type='KLDiscretLoss', use_target_weight=True),
            decoder=SIMCC,
        ),
    ],
)
def test_heads_of_mmpose_train(head):
    """They measure their accuracy in numpy, which has no bfloat16."""
    init_default_scope('mmpose')
    model = nn.Module()
    model.head = MODELS.build(dict(head, in_channels=4, out_channels=3))
    wrapper = build(model)
    keypoints = np.array([[[4.0, 8], [20, 12], [9, 30]]])
    samples = [label(head['decoder'], keypoints)] * 2
    with wrapper.optim_context(model):
        losses = model.head.loss((torch.rand(2, 4, 8, 8),), samples)
    assert losses['loss_kpt'].dtype == torch.float32
    before = model.head.state_dict()['final_layer.weight'].clone()
    wrapper.update_params(losses['loss_kpt'])
    assert not before.equal(model.head.final_layer.weight)
    assert 'forward' not in vars(model.head)  # as it was
