from .check_keypoints_hook import CheckKeypointsHook
from .check_loss_hook import CheckLossHook
from .epoch_seed_hook import EpochSeedHook
from .map_keypoints_hook import MapKeypointsHook
from .preemption_hook import PreemptionHook
from .require_weights_hook import RequireWeightsHook
from .resumable_checkpoint_hook import ResumableCheckpointHook

__all__ = [
    'CheckKeypointsHook',
    'CheckLossHook',
    'EpochSeedHook',
    'MapKeypointsHook',
    'PreemptionHook',
    'RequireWeightsHook',
    'ResumableCheckpointHook',
]
