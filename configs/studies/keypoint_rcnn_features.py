# Why the laptop's heads have features of 7x7: rows a and b of keypoint_rcnn.py with more
# features or larger maps, each without the other, and with more convolutions.
# python tools/run_study.py configs/studies/keypoint_rcnn_features.py \
#     --work-dir docs/results/keypoint_rcnn_features --jobs 2
_base_ = './keypoint_rcnn.py'

seeds = [0]
baseline = 'a: offset, softmax'
rows = _base_.rows[2:4]  # a and b

_roi_head = 'model.roi_head'
for _row, _size, _maps in [
    (rows[0], 14, 'a, maps of 56x56'),
    (rows[1], (22, 16), 'b, maps of 88x64'),
]:
    _twice = {
        f'{_roi_head}.keypoint_roi_extractor.roi_layer.output_size': _size,
        f'{_roi_head}.keypoint_head.roi_feat_size': _size,
    }
    _deep = {f'{_roi_head}.keypoint_head.num_convs': 8}
    _larger = {f'{_roi_head}.keypoint_head.upsampling': 4}
    rows += [
        dict(_row, name=_maps, cfg_options=_larger),
        dict(_row, name=f'{_maps}, twice the features', cfg_options=_twice),
        dict(
            _row,
            name=f'{_maps}, twice the features and convolutions',
            cfg_options=_twice | _deep,
        ),
    ]
