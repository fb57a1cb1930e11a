_base_ = './ogn-mask-rcnn_r50_fpn-softmax_8xb2-1x_coco.py'

model = dict(
    backbone=dict(
        depth=101,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet101'),
    ),
)
