# What decides about the laptop's keypoint heads, with rows of keypoint_rcnn.py: more
# convolutions, which see more of the ROI; maps enlarged by interpolation; for extended
# ROIs, which are larger, the level of the pyramid that their size has otherwise.
# python tools/run_study.py configs/studies/keypoint_rcnn_features.py \
#     --work-dir docs/results/keypoint_rcnn_features --jobs 2
_base_ = './keypoint_rcnn.py'

seeds = [0]
baseline = 'baseline'
rows = _base_.rows[1:4]

_deep = {'model.roi_head.keypoint_head.num_convs': 8}
_larger = {'model.roi_head.keypoint_head.upsampling': 4}
_coarse = {'model.roi_head.keypoint_roi_extractor.finest_scale': 56}
for _row, _name, _options in [
    (rows[0], 'baseline, maps of 56x56', _larger),
    (rows[1], 'a, twice the convolutions', _deep),
    (rows[2], 'b, coarser level', _coarse),
    (rows[2], 'b, coarser level, twice the convolutions', {**_coarse, **_deep}),
]:
    rows.append(dict(_row, name=_name, cfg_options=_options))
