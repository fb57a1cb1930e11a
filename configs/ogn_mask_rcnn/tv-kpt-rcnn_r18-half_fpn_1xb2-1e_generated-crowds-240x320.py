_base_ = './kpt-mask-rcnn_r18-half_fpn_1xb2-1e_generated-crowds-240x320.py'

# torchvision's Keypoint R-CNN with the numbers of our laptop's detector
model = dict(
    _delete_=True,
    type='TorchvisionKeypointRCNN',
    data_preprocessor=_base_.model.data_preprocessor,
    initialize_as=_base_.model,
    depth=18,
    base_channels=32,
    out_indices=(1, 2, 3),
    frozen_stages=-1,
    fpn_channels=64,
    box_channels=256,
    anchor_sizes=(32, 64, 128, 256),
    canonical_scale=112,
    keypoint_channels=(64,) * 4,
    keypoint_roi_size=7,
    rpn_batch_size_per_image=128,
    rpn_pre_nms_top_n_train=500,
    rpn_pre_nms_top_n_test=500,
    rpn_post_nms_top_n_train=300,
    rpn_post_nms_top_n_test=300,
    box_batch_size_per_image=64,
)
