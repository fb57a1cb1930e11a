# Table 3: Mask R-CNN against its extension, the first and last rows of Table 4.
_base_ = './table4.py'
_rows = " --rows baseline 'c: b, Smooth L1'"

smoke = [step + _rows if '{study}' in step else step for step in _base_.smoke]
mini = [step + _rows if '{study}' in step else step for step in _base_.mini]
full = [
    "{study} {out} configs/studies/keypoint_rcnn_full.py --rows 'Mask R-CNN'"
    " 'c: b, Smooth L1'"
]
