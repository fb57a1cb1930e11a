# Row l of Table 1.
_base_ = './td-ogn_res50-2deconv_8xb8-22e_coco-512x384-gbg.py'

model = dict(
    backbone=dict(
        depth=152,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet152'),
    ),
)
