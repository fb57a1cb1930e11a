# Row b on photographs with the pyramid's levels and the convolutions of
# keypoint_rcnn_features.py.
# python tools/run_study.py configs/studies/keypoint_rcnn_people1k_features.py \
#     --work-dir docs/results/keypoint_rcnn_people1k_features --jobs 2
_base_ = './keypoint_rcnn_people1k.py'

baseline = 'a: offset, softmax'
rows = _base_.rows[2:4]
_deep = {'model.roi_head.keypoint_head.num_convs': 8}
_coarse = {'model.roi_head.keypoint_roi_extractor.finest_scale': 56}
for _name, _options in [
    ('b, coarser level', _coarse),
    ('b, coarser level, twice the convolutions', {**_coarse, **_deep}),
]:
    rows.append(dict(rows[1], name=_name, cfg_options=_options))
