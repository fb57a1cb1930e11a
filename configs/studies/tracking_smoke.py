# tracking.py on two short videos.
_base_ = './tracking.py'

seeds = [101]
videos = dict(num_videos=2, frames=12)
detections = dict(
    _delete_=True,
    perturbed=_base_.detections.perturbed,
)
