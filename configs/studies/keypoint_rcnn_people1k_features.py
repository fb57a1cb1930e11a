# Rows of keypoint_rcnn_features.py on photographs, and row b with row c's loss weight.
# python tools/run_study.py configs/studies/keypoint_rcnn_people1k_features.py \
#     --work-dir docs/results/keypoint_rcnn_people1k_features --jobs 2
_base_ = './keypoint_rcnn_people1k.py'

baseline = 'a: offset, softmax'
rows = _base_.rows[1:4]
_small = dict(type='Normal', layer='ConvTranspose2d', std=0.001)
_9x9 = {
    'model.roi_head.keypoint_roi_extractor.finest_scale': 72,
    'model.roi_head.keypoint_roi_extractor.roi_layer.output_size': 9,
    'model.roi_head.keypoint_head.roi_feat_size': 9,
}
_coarse = {'model.roi_head.keypoint_roi_extractor.finest_scale': 56}
_deep = {'model.roi_head.keypoint_head.num_convs': 8}
for _row, _name, _options in [
    (
        rows[0],
        'baseline, small initial weights',
        {'model.roi_head.keypoint_head.init_cfg': _small},
    ),
    (rows[1], 'a, features of 9x9', _9x9),
    (rows[2], 'b, coarser level', _coarse),
    (rows[2], 'b, coarser level, twice the convolutions', {**_coarse, **_deep}),
    (rows[2], 'b, loss x 10', {'model.roi_head.keypoint_head.loss_weight': 10.0}),
]:
    rows.append(dict(_row, name=_name, cfg_options=_options))
