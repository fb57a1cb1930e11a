# Its twin without GBG, tested on other boxes.
_base_ = './td-ogn_res50-2deconv_8xb8-22e_crowdpose-256x192.py'

val_dataloader = dict(dataset=dict(bbox_filter=dict(_delete_=True, **_base_.gbg)))
test_dataloader = val_dataloader
