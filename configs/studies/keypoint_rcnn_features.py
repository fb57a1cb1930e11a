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

_small = dict(type='Normal', layer='ConvTranspose2d', std=0.001)
_small = {'model.roi_head.keypoint_head.init_cfg': _small}
_deep = {'model.roi_head.keypoint_head.num_convs': 8}
_larger = {'model.roi_head.keypoint_head.upsampling': 4}
_coarse = {'model.roi_head.keypoint_roi_extractor.finest_scale': 56}
_9x9 = {  # of the level that fits them, 56 * 9 / 7
    'model.roi_head.keypoint_roi_extractor.finest_scale': 72,
    'model.roi_head.keypoint_roi_extractor.roi_layer.output_size': 9,
    'model.roi_head.keypoint_head.roi_feat_size': 9,
}
for _row, _name, _options in [
    (rows[0], 'baseline, small initial weights', _small),
    (rows[0], 'baseline, maps of 56x56', _larger),
    (rows[1], 'a, twice the convolutions', _deep),
    (rows[1], 'a, features of 9x9', _9x9),
    (rows[2], 'b, coarser level', _coarse),
    (rows[2], 'b, coarser level, twice the convolutions', {**_coarse, **_deep}),
]:
    rows.append(dict(_row, name=_name, cfg_options=_options))
