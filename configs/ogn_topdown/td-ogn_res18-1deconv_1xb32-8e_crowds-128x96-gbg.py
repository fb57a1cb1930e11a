# Its twin without GBG, tested on other boxes.
_base_ = './td-ogn_res18-1deconv_1xb32-8e_crowds-128x96.py'

val_dataloader = dict(dataset=dict(bbox_filter=dict(_delete_=True, **_base_.gbg)))
test_dataloader = val_dataloader
