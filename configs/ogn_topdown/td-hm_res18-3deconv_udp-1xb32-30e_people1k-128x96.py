# MMPose's UDP, the same network and schedule as its neighbours here.
_base_ = './td-hm_res18-3deconv_1xb32-30e_people1k-128x96.py'

codec = dict(type='UDPHeatmap', input_size=(96, 128), heatmap_size=(24, 32), sigma=2)
model = dict(head=dict(decoder=codec), test_cfg=dict(shift_heatmap=False))

train_pipeline = _base_.train_pipeline
train_pipeline[-3].use_udp = True
train_pipeline[-2].encoder = codec
val_pipeline = _base_.val_pipeline
val_pipeline[-2].use_udp = True
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = val_dataloader
