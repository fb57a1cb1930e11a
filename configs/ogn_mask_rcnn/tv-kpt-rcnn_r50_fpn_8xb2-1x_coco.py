_base_ = './kpt-mask-rcnn_r50_fpn_8xb2-1x_coco.py'

# torchvision's keypointrcnn_resnet50_fpn with its own numbers; the initial weights are
# our baseline's
model = dict(
    _delete_=True,
    type='TorchvisionKeypointRCNN',
    data_preprocessor=_base_.model.data_preprocessor,
    initialize_as=_base_.model,
)
