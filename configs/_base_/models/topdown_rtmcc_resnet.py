# The head of MMPose's RTMPose behind a ResNet; the recipes add sizes and codec.
_base_ = './topdown_simcc_resnet.py'

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
    )
)
