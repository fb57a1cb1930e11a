# Table 3: Mask R-CNN against its extension, the first and last rows of Table 4.
_base_ = './table4.py'
_rows = " --rows baseline 'c: b, Smooth L1'"

smoke = [*_base_.smoke[:-1], _base_.smoke[-1] + _rows]
mini = [*_base_.mini[:-1], _base_.mini[-1] + _rows]
full = [_base_.full[0] + " --rows 'Mask R-CNN' 'c: b, Smooth L1'"]
