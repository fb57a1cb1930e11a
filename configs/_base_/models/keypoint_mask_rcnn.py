# Mask R-CNN for keypoints: boxes of people and 56x56 one-hot keypoint maps. Mask R-CNN
# learns no masks when it learns keypoints.
_base_ = 'mmdet::_base_/models/faster-rcnn_r50_fpn.py'

model = dict(
    roi_head=dict(
        type='KeypointRoIHead',
        bbox_head=dict(type='PersonBBoxHead', num_classes=1),
        keypoint_roi_extractor=dict(
            type='SingleRoIExtractor',
            # two samples a bin, as in the baseline's own recipe (Detectron) and
            # torchvision; as many as a bin has pixels, MMDetection's way, take longer
            roi_layer=dict(type='RoIAlign', output_size=14, sampling_ratio=2),
            out_channels=256,
            featmap_strides=[4, 8, 16, 32],
        ),
        keypoint_head=dict(
            type='OneHotKeypointHead',
            num_keypoints=17,
            roi_feat_size=14,
            in_channels=256,
            num_convs=8,
            conv_out_channels=512,
        ),
    ),
)
