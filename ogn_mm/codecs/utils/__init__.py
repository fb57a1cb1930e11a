from .disks import generate_disk_targets
from .fusion import fuse_heatmaps_and_offsets
from .smoothing import gaussian_matrix, smooth_heatmaps

__all__ = [
    'fuse_heatmaps_and_offsets',
    'gaussian_matrix',
    'generate_disk_targets',
    'smooth_heatmaps',
]
