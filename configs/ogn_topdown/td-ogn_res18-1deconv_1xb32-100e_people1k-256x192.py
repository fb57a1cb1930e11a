_base_ = './td-ogn_res18-2deconv_1xb32-100e_people1k-256x192.py'

codec = dict(type='OffsetHeatmap', input_size=(192, 256), heatmap_size=(12, 16))
model = dict(
    head=dict(
        deconv_out_channels=(256,),
        deconv_kernel_sizes=(4,),
        decoder=codec,
    ),
)

train_pipeline = _base_.train_pipeline
train_pipeline[-2].encoder = codec
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
