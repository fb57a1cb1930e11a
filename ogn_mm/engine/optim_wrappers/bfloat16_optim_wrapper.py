from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from mmpose.registry import OPTIM_WRAPPERS
from torch import nn


@OPTIM_WRAPPERS.register_module()
class Bfloat16OptimWrapper(OptimWrapper):
    """Train in bfloat16 on whatever device the model is, the CPU included.

    MMEngine's ``AmpOptimWrapper`` needs an accelerator and scales the loss, as float16
    needs it; bfloat16 has the range of float32 and needs no scaling. On a CPU with
    AVX-512 BF16 or AMX this takes little more than half the time of float32; on one
    without it is slower. Weights, optimizer, evaluation and decoding stay in float32.
    """

    @contextmanager
    def optim_context(self, model: nn.Module):
        """Run the forward pass under autocast."""
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, torch.bfloat16):
            yield
