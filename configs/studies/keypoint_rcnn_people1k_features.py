# What ratio-consistent ROIs cost and gain on photographs: row b on its box's level of the
# pyramid, and with more convolutions, which see more of the ROI.
# python tools/run_study.py configs/studies/keypoint_rcnn_people1k_features.py \
#     --work-dir docs/results/keypoint_rcnn_people1k_features --jobs 2
_base_ = './keypoint_rcnn_people1k.py'

baseline = 'a: offset, softmax'
rows = _base_.rows[2:4]
# An extended ROI is larger, by 1.38 in the mean, and so taken from a coarser level.
_levels = {'model.roi_head.keypoint_roi_extractor.finest_scale': round(1.38 * 56)}
_deep = {'model.roi_head.keypoint_head.num_convs': 8}
rows += [
    dict(rows[1], name='b, levels of the boxes', cfg_options=_levels),
    dict(rows[1], name='b, twice the convolutions', cfg_options=_deep),
]
