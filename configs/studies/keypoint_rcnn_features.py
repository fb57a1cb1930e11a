# What decides about the laptop's keypoint heads, with rows of keypoint_rcnn.py: initial
# weights as small as those of offset heads; more convolutions, which see more of the ROI;
# maps enlarged by interpolation; nearly as many features for ROIs as they are as for
# extended ones; and for these the level of the pyramid that their size has otherwise.
# python tools/run_study.py configs/studies/keypoint_rcnn_features.py \
#     --work-dir docs/results/keypoint_rcnn_features --jobs 2
_base_ = './keypoint_rcnn.py'

seeds = [0]
baseline = 'baseline'
rows = _base_.rows[1:4]

_options_of = _base_._variants
for _row, _name, _options in [
    (rows[0], 'baseline, small initial weights', _options_of['small']),
    (
        rows[0],
        'baseline, maps of 56x56',
        {'model.roi_head.keypoint_head.upsampling': 4},
    ),
    (rows[1], 'a, twice the convolutions', _options_of['deep']),
    (rows[1], 'a, features of 9x9', _options_of['features_9x9']),
    (rows[2], 'b, coarser level', _options_of['coarse']),
    (
        rows[2],
        'b, coarser level, twice the convolutions',
        {**_options_of['coarse'], **_options_of['deep']},
    ),
]:
    rows.append(dict(_row, name=_name, cfg_options=_options))
