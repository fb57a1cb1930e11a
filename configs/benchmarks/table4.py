# Table 4: Mask R-CNN's keypoint head, with offsets (a), ratio-consistent ROIs (b) and
# Smooth L1 (c). `full` trains each row on COCO, goes on on PoseTrack 2017 and tests there,
# as the paper.
smoke = [
    'python tools/dataset_tools/generate_people.py --out data/generated_smoke'
    ' --num-train 24 --num-val 8 --max-people 4',
    '{study} {out} configs/studies/keypoint_rcnn_smoke.py',
    '{cost} --rounds 2',
]
mini = [
    'python tools/dataset_tools/generate_people.py --out data/generated_crowds'
    ' --num-train 1500 --num-val 300 --max-people 8 --max-overlap 0.8',
    'python tools/train.py --resume --work-dir work_dirs/laptop_detector'
    ' configs/person_detector/'
    'faster-rcnn_r18-half_fpn_1xb4-5e_generated-crowds-240x320.py',
    '{study} {out} configs/studies/keypoint_rcnn.py',
    '{cost}',
]
seeds = [0, 1, 2]
_mask_rcnn = 'configs/ogn_mask_rcnn/{}_8xb2-1x_{}.py'
_posetrack = 'configs/ogn_tracking/ogn-mask-rcnn_r101_fpn-rc_iou-reid_posetrack17.py'
full = []
for _row, _network, _paper in [
    ('FAIR: Mask R-CNN', 'kpt-mask-rcnn_r101_fpn', 60.6),
    ('a: offset, softmax', 'ogn-mask-rcnn_r101_fpn-softmax', 64.3),
    ('b: a, ratio-consistent', 'ogn-mask-rcnn_r101_fpn-softmax-rc', 65.9),
    ('c: b, Smooth L1', 'ogn-mask-rcnn_r101_fpn-rc', 66.7),
]:
    _seed = '--cfg-options randomness.seed={seed}'
    _start = ''
    for _data in ('coco', 'posetrack17'):
        _config = _mask_rcnn.format(_network, _data)
        _work_dir = f'{{out}}/{_network}_{_data}/seed{{seed}}'
        full.append(f'{{train}} {_config} {{to}} {_work_dir} --resume {_seed}{_start}')
        _start = f' load_from={_work_dir}/epoch_12.pth'
    full.append(
        dict(
            command=f'{{test}} {_posetrack} {_work_dir}/epoch_12.pth {{gpus}}'
            f' --out {{out}}/{_network}/seed{{seed}}.json --cfg-options'
            ' test_evaluator.min_track_length=1'  # any counts for mAP
            f' model.detector.config={_config}',
            row=_row,
            paper={'posetrack/AP': _paper},
        )
    )
