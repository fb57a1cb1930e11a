# "Ours (two stages)" of Table 5. The detector has its weights from MMDetection's model
# zoo; the checkpoint to test is the pose network's.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/ogn_tracker.py',
    '../_base_/datasets/posetrack17_videos.py',
]

model = dict(
    detector=dict(
        config='configs/person_detector/'
        'cascade-mask-rcnn_x101-64x4d_fpn_ms-3x_coco-person-gbg.py',
        checkpoint='https://download.openmmlab.com/mmdetection/v2.0/cascade_rcnn/'
        'cascade_mask_rcnn_x101_64x4d_fpn_mstrain_3x_coco/'
        'cascade_mask_rcnn_x101_64x4d_fpn_mstrain_3x_coco_20210719_210311-d3e64ba0.pth',
    ),
    pose_estimator=dict(
        config='configs/ogn_topdown/td-ogn_res152-2deconv_8xb8-22e_coco-512x384-gbg.py',
    ),
)
val_cfg = None
