"""Hooks, safe checkpoints and what the tools share.

Importing this package lets ``torch.load`` read MMEngine's checkpoints.
"""

from . import checkpoint, hooks

__all__ = ['checkpoint', 'hooks']
