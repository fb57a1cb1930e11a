# Table 5: tracking. `full` begins with the boxes of Table 1 and trains both systems, on
# COCO and Mask R-CNN on PoseTrack 2017 as well.
_base_ = ['./table1.py']
_tracking = 'python tools/run_tracking_study.py --out {out}'
smoke = [f'{_tracking} configs/studies/tracking_smoke.py']
_detector = (
    'configs/person_detector/'
    'faster-rcnn_r18-half_fpn_1xb4-5e_generated-crowds-240x320{}.py'
)
mini = [
    'python tools/dataset_tools/generate_people.py --out data/generated_crowds'
    ' --num-train 1500 --num-val 300 --max-people 8 --max-overlap 0.8',
    'python tools/train.py --resume --work-dir work_dirs/laptop_detector '
    + _detector.format(''),
    *[
        f'python tools/detect_people.py {_detector.format("-" + boxes)}'
        ' work_dirs/laptop_detector/epoch_5.pth --exist-ok'
        f' --out data/generated_crowds/detections/{boxes}_{split}.json'
        f' --ann data/generated_crowds/annotations/{split}.json'
        f' --images data/generated_crowds/images/{split}'
        for boxes, split in [('gbg', 'train'), ('raw', 'val')]
    ],
    'python tools/train.py --resume --work-dir work_dirs/pose_estimator'
    ' configs/ogn_topdown/td-ogn_res18-1deconv_1xb32-8e_crowds-128x96.py',
    f'{_tracking} configs/studies/tracking.py',
    f'{_tracking}/causes configs/studies/tracking_causes.py',
]
_two_stages = 'td-ogn_res152-2deconv_8xb8-22e_coco-512x384-gbg'
_mask_rcnn = 'ogn-mask-rcnn_r101_fpn-rc_8xb2-1x'
full = [
    *_base_.full[:2],
    f'{{train}} configs/ogn_topdown/{_two_stages}.py {{to}} work_dirs/{_two_stages}'
    ' --resume',
    *[
        f'{{train}} configs/ogn_mask_rcnn/{_mask_rcnn}_{data}.py {{to}}'
        f' work_dirs/{_mask_rcnn}_{data} --resume'
        # the second begins with the first's weights
        for data in ('coco', 'posetrack17')
    ],
    *[
        dict(
            command=f'{{test}} configs/ogn_tracking/{name}_posetrack17.py'
            f' work_dirs/{checkpoint}.pth {{gpus}} --out {{out}}/{name}.json',
            row=row,
            paper={'posetrack/AP': ap, 'posetrack/MOTA': mota},
        )
        for row, name, checkpoint, ap, mota in [
            (
                'Mask R-CNN',
                'ogn-mask-rcnn_r101_fpn-rc_iou-reid',
                f'{_mask_rcnn}_posetrack17/epoch_12',
                66.7,
                60.7,
            ),
            (
                'two stages',
                'two-stages-ogn_res152-512x384-gbg_iou-reid',
                f'{_two_stages}/epoch_22',
                75.1,
                67.7,
            ),
            (
                'two stages with optical flow',
                'two-stages-ogn_res152-512x384-gbg_iou-reid-flow',
                f'{_two_stages}/epoch_22',
                76.7,
                70.1,
            ),
        ]
    ],
]
