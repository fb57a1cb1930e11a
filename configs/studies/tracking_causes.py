# Why flow gains less with a pose network than with annotated poses (tracking.py): the
# same detector, with the one's poses and the other's thresholds.
# python tools/run_tracking_study.py configs/studies/tracking_causes.py \
#     --out docs/results/tracking_causes
_base_ = './tracking.py'

trackers = dict(
    _delete_=True,
    **{name: _base_.trackers[name] for name in ('IoU', 'IoU, flow')},
)
_thresholds = {
    'strict': {'model.tracker.score_thr': 0.5, 'model.tracker.birth_score': 0.6},
    'loose': {'model.tracker.score_thr': 0.2, 'model.tracker.birth_score': 0.4},
}
detections = dict(
    _delete_=True,
    **{
        f'{name}, {kind} thresholds': {**_base_.detections[name], **_thresholds[kind]}
        for name in ('detector', 'detector, pose network')
        for kind in ('strict', 'loose')
    },
)
