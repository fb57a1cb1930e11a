import logging
from contextlib import contextmanager

import torch
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from mmpose.registry import OPTIM_WRAPPERS
from torch import nn


def computes_in_bfloat16(device: torch.device) -> bool:
    """Whether a device has instructions for bfloat16; accelerators are taken to."""
    if device.type != 'cpu':
        return True
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


@contextmanager
def float32_predictions(model: nn.Module):
    """Let the ``head`` of a model, if it has one, predict in float32.

    MMPose's heads measure their accuracy in numpy, which has no bfloat16.
    """
    head = getattr(getattr(model, 'module', model), 'head', None)
    if head is None:
        yield
        return
    forward = head.forward

    def forward_in_float32(*args, **kwargs):
        result = forward(*args, **kwargs)
        if isinstance(result, tuple):
            return tuple(part.float() for part in result)
        return result.float()

    head.forward = forward_in_float32  # heads call it, and not themselves
    try:
        yield
    finally:
        del head.forward


@OPTIM_WRAPPERS.register_module()
class Bfloat16OptimWrapper(OptimWrapper):
    """Train in bfloat16 on whatever device the model is, the CPU included.

    MMEngine's ``AmpOptimWrapper`` needs an accelerator and scales the loss, as float16
    needs it; bfloat16 has the range of float32 and needs no scaling. On a CPU with
    AVX-512 BF16 or AMX this takes little more than half the time of float32. One
    without them would take twenty times as long, so there the training stays in
    float32, and a warning says so. Weights, optimizer, evaluation and decoding are in
    float32 in any case.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        device = self.optimizer.param_groups[0]['params'][0].device
        self.enabled = computes_in_bfloat16(device)
        if not self.enabled:
            print_log(
                'Bfloat16OptimWrapper: this CPU has neither AVX-512 BF16 nor AMX; '
                'training stays in float32.',
                logger='current',
                level=logging.WARNING,
            )

    @contextmanager
    def optim_context(self, model: nn.Module):
        """Run the forward pass under autocast."""
        device = next(model.parameters()).device.type
        autocast = torch.autocast(device, torch.bfloat16, enabled=self.enabled)
        with super().optim_context(model), autocast, float32_predictions(model):
            yield
