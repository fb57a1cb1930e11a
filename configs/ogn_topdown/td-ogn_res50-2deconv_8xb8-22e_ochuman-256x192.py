# Row c tested on OCHuman, whose people overlap heavily; it has no training split.
_base_ = './td-ogn_res50-2deconv_8xb8-22e_coco-256x192.py'

data_root = 'data/ochuman/'
ochuman = dict(data_root=data_root, data_prefix=dict(img='images/'))
val_file = 'annotations/ochuman_coco_format_val_range_0.00_1.00.json'
test_file = 'annotations/ochuman_coco_format_test_range_0.00_1.00.json'
val_dataloader = dict(
    dataset=dict(
        ann_file=val_file, bbox_file=data_root + 'detections/raw_val.json', **ochuman
    )
)
test_dataloader = dict(
    dataset=dict(
        ann_file=test_file, bbox_file=data_root + 'detections/raw_test.json', **ochuman
    )
)
val_evaluator = dict(ann_file=data_root + val_file)
test_evaluator = dict(ann_file=data_root + test_file)
