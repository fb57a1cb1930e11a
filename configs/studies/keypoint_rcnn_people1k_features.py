# Rows of keypoint_rcnn_features.py on photographs, and row b with row c's loss weight.
# python tools/run_study.py configs/studies/keypoint_rcnn_people1k_features.py \
#     --work-dir docs/results/keypoint_rcnn_people1k_features --jobs 2
_base_ = './keypoint_rcnn_people1k.py'

baseline = 'a: offset, softmax'
rows = _base_.rows[1:4]
_options_of = _base_._variants
for _row, _name, _options in [
    (rows[0], 'baseline, small initial weights', _options_of['small']),
    (rows[1], 'a, features of 9x9', _options_of['features_9x9']),
    (rows[2], 'b, coarser level', _options_of['coarse']),
    (
        rows[2],
        'b, coarser level, twice the convolutions',
        {**_options_of['coarse'], **_options_of['deep']},
    ),
    (rows[2], 'b, loss x 10', {'model.roi_head.keypoint_head.loss_weight': 10.0}),
]:
    rows.append(dict(_row, name=_name, cfg_options=_options))
