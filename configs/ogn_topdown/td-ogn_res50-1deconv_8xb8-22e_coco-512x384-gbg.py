# Row g of Table 1: the network of its twin without GBG, tested on other boxes.
_base_ = './td-ogn_res50-1deconv_8xb8-22e_coco-512x384.py'

val_dataloader = dict(dataset=dict(bbox_filter=dict(_delete_=True, **_base_.gbg)))
test_dataloader = val_dataloader
