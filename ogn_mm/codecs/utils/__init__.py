from .disks import batch_disk_targets, generate_disk_targets
from .fusion import fuse_heatmaps_and_offsets
from .one_hot import decode_one_hot, one_hot_targets, probability_within
from .smoothing import gaussian_matrix, smooth_heatmaps

__all__ = [
    'batch_disk_targets',
    'decode_one_hot',
    'fuse_heatmaps_and_offsets',
    'gaussian_matrix',
    'generate_disk_targets',
    'one_hot_targets',
    'probability_within',
    'smooth_heatmaps',
]
