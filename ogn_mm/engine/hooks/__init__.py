from .check_keypoints_hook import CheckKeypointsHook
from .epoch_seed_hook import EpochSeedHook
from .map_keypoints_hook import MapKeypointsHook
from .require_weights_hook import RequireWeightsHook
from .resumable_checkpoint_hook import ResumableCheckpointHook

__all__ = [
    'CheckKeypointsHook',
    'EpochSeedHook',
    'MapKeypointsHook',
    'RequireWeightsHook',
    'ResumableCheckpointHook',
]
