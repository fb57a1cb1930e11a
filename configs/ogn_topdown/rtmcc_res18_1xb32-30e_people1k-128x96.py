# The head of MMPose's RTMPose, on the schedule of its neighbours here.
_base_ = './simcc_res18_1xb32-30e_people1k-128x96.py'

codec = dict(
    type='SimCCLabel',
    input_size=(96, 128),
    sigma=(3.46, 4.0),
    simcc_split_ratio=2.0,
    normalize=False,
    use_dark=False,
)
model = dict(
    head=dict(
        type='RTMCCHead',
        final_layer_kernel_size=7,
        gau_cfg=dict(
            hidden_dims=256,
            s=128,
            expansion_factor=2,
            dropout_rate=0.0,
            drop_path=0.0,
            act_fn='SiLU',
            use_rel_bias=False,
            pos_enc=False,
        ),
        loss=dict(beta=10.0, label_softmax=True),
        decoder=codec,
    )
)

train_pipeline = _base_.train_pipeline
train_pipeline[-2].encoder = codec
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
