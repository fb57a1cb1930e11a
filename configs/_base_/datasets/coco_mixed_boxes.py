# COCO as in the OGN paper's recipe: predicted boxes mixed with annotated ones
# (section 3.1.3), two images of four people a GPU ("Train details"), and a detector's
# raw boxes in testing ("Test details"), here chosen by NMS. tools/detect_people.py
# writes both detection files; see configs/person_detector.
_base_ = './coco_keypoints.py'

nms = dict(type='mmdet.BoxNMS', iou_threshold=0.5)
gbg = dict(
    type='mmdet.GreedyBoxGeneration',
    min_size=8,
    egt_score_thr=0.8,
    egt_iou_thr=0.5,
    group_iou_thr=0.7,
    top_n=4,
)
detections = 'data/coco/person_detection_results/'
train_pipeline = _base_.train_pipeline
train_pipeline.insert(2, dict(type='RandomDetectedBox'))

train_dataloader = dict(
    batch_size=2,
    collate_fn=dict(type='flatten_rois'),
    sampler=dict(_delete_=True, type='FullBatchSampler', batch_size=2),
    dataset=dict(
        _delete_=True,
        type='ImageROIDataset',
        rois_per_image=4,
        dataset=dict(
            type='MixedBoxCocoDataset',
            data_root=_base_.data_root,
            data_mode=_base_.data_mode,
            ann_file='annotations/person_keypoints_train2017.json',
            detection_file=detections + 'gbg_train2017.json',
            data_prefix=dict(img='train2017/'),
            pipeline=train_pipeline,
        ),
    ),
)
val_dataloader = dict(
    dataset=dict(
        bbox_file=detections + 'raw_val2017.json',
        bbox_filter=nms,
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(type='PoseNMSCocoMetric')
test_evaluator = val_evaluator
