# What the sizes of the laptop's heads are worth: rows of keypoint_rcnn.py with more
# convolutions, which see more of the ROI, and with larger maps, by upsampling or by more
# features.
# python tools/run_study.py configs/studies/keypoint_rcnn_features.py \
#     --work-dir docs/results/keypoint_rcnn_features --jobs 2
_base_ = './keypoint_rcnn.py'

seeds = [0]
baseline = 'baseline'
rows = _base_.rows[1:4]

_head = 'model.roi_head.keypoint_head'
_features = 'model.roi_head.keypoint_roi_extractor.roi_layer.output_size'
for _row, _size, _maps in [
    (rows[0], 14, 'baseline, maps of 56x56'),
    (rows[1], 14, 'a, maps of 56x56'),
    (rows[2], (22, 16), 'b, maps of 88x64'),
]:
    _name = _maps.partition(',')[0]
    _deep = {f'{_head}.num_convs': 8}
    _larger = {f'{_head}.upsampling': 4}
    _twice = {_features: _size, f'{_head}.roi_feat_size': _size}
    rows += [
        dict(_row, name=f'{_name}, twice the convolutions', cfg_options=_deep),
        dict(_row, name=_maps, cfg_options=_larger),
        dict(_row, name=f'{_maps}, twice the features', cfg_options=_twice),
    ]
# An extended ROI is larger, by 1.23 in the mean, and so taken from a coarser level.
_levels = {'model.roi_head.keypoint_roi_extractor.finest_scale': round(1.23 * 56)}
rows.append(dict(rows[2], name='b, levels of the boxes', cfg_options=_levels))
