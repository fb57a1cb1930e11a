# Table 1: offsets, stride, input size and boxes; `mini` has MMPose's heads of today too.
smoke = [
    'python tools/dataset_tools/generate_people.py --out data/generated_people'
    ' --num-train 1000 --num-val 150',
    '{study} {out} configs/studies/table1_smoke.py',
    '{cost} --rounds 2',
]
mini = [
    smoke[0],
    '{study} {out}/generated configs/studies/table1_mini_generated.py',
    '{study} {out} configs/studies/table1_mini.py',
    '{cost}',
]
_detector = 'mask-rcnn_x101-64x4d_fpn_ms-poly-3x_coco-person'
_weights = (  # MMDetection's
    'https://download.openmmlab.com/mmdetection/v2.0/mask_rcnn/'
    'mask_rcnn_x101_64x4d_fpn_mstrain-poly_3x_coco/'
    'mask_rcnn_x101_64x4d_fpn_mstrain-poly_3x_coco_20210526_120447-c376f129.pth'
)
full = [
    *[
        f'{{detect}} configs/person_detector/{_detector}-{boxes}.py {_weights}'
        f' --out data/coco/person_detection_results/{boxes}_{split}.json'
        f' --ann data/coco/annotations/person_keypoints_{split}.json'
        f' --images data/coco/{split} --exist-ok'
        for boxes, split in [('gbg', 'train2017'), ('raw', 'val2017')]
    ],
    '{study} {out} configs/studies/table1_full.py',
]
