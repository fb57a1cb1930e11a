from .disks import (
    DiskWindows,
    batch_disk_targets,
    disk_windows,
    draw_windows,
    generate_disk_targets,
)
from .fusion import argmax_2d, average_votes, fuse_heatmaps_and_offsets
from .one_hot import decode_one_hot, one_hot_targets, probability_within
from .smoothing import gaussian_matrix, smooth_heatmaps

__all__ = [
    'DiskWindows',
    'argmax_2d',
    'average_votes',
    'batch_disk_targets',
    'decode_one_hot',
    'disk_windows',
    'draw_windows',
    'fuse_heatmaps_and_offsets',
    'gaussian_matrix',
    'generate_disk_targets',
    'one_hot_targets',
    'probability_within',
    'smooth_heatmaps',
]
