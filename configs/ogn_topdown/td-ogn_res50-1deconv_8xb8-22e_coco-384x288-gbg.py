# Row f of Table 1.
_base_ = './td-ogn_res50-1deconv_8xb8-22e_coco-512x384-gbg.py'

codec = dict(type='OffsetHeatmap', input_size=(288, 384), heatmap_size=(18, 24))
model = dict(head=dict(decoder=codec))

train_pipeline = _base_.train_pipeline
train_pipeline[-3].input_size = codec['input_size']
train_pipeline[-2].encoder = codec
val_pipeline = _base_.val_pipeline
val_pipeline[-2].input_size = codec['input_size']
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=train_pipeline)))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = val_dataloader
