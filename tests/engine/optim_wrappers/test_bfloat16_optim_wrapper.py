import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
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
