_base_ = './td-hm_res50-2deconv_8xb8-22e_coco-256x192.py'

codec = dict(
    type='MSRAHeatmap',
    input_size=(192, 256),
    heatmap_size=(12, 16),
    sigma=2,
)
model = dict(
    head=dict(
        deconv_out_channels=(256,),
        deconv_kernel_sizes=(4,),
        decoder=codec,
    ),
)

train_pipeline = _base_.train_pipeline
train_pipeline[-2].encoder = codec
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=train_pipeline)))
