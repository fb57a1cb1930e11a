# Table 4: Mask R-CNN's keypoint head, with offsets (a), ratio-consistent ROIs (b) and
# Smooth L1 (c). The paper's figures are on PoseTrack 2017: configs/ogn_mask_rcnn.
smoke = [
    'python tools/dataset_tools/generate_people.py --out data/generated_smoke'
    ' --num-train 24 --num-val 8 --max-people 4',
    '{study} {out} configs/studies/keypoint_rcnn_smoke.py',
]
mini = [
    'python tools/dataset_tools/generate_people.py --out data/generated_crowds'
    ' --num-train 1500 --num-val 300 --max-people 8 --max-overlap 0.8',
    'python tools/train.py --resume --work-dir work_dirs/laptop_detector'
    ' configs/person_detector/'
    'faster-rcnn_r18-half_fpn_1xb4-5e_generated-crowds-240x320.py',
    '{study} {out} configs/studies/keypoint_rcnn.py',
]
full = ['{study} {out} configs/studies/keypoint_rcnn_full.py']
