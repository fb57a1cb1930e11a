"""Hooks, optimizer wrappers, safe checkpoints and what the tools share.

Importing this package lets ``torch.load`` read MMEngine's checkpoints.
"""

from . import checkpoint, hooks, launch, optim_wrappers

__all__ = ['checkpoint', 'hooks', 'launch', 'optim_wrappers']
