from .check_keypoints_hook import CheckKeypointsHook
from .epoch_seed_hook import EpochSeedHook
from .resumable_checkpoint_hook import ResumableCheckpointHook

__all__ = ['CheckKeypointsHook', 'EpochSeedHook', 'ResumableCheckpointHook']
