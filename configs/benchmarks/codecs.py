# What a perfect network would reach with each codec, by stride.
_oracle = 'python tools/analysis_tools/codec_oracle.py '
smoke = [
    'python tools/dataset_tools/generate_people.py --out data/generated_people'
    ' --num-train 1000 --num-val 150',
    _oracle + 'data/generated_people/annotations/val.json',
]
mini = [_oracle + 'data/coco_val_poses/person_keypoints_part1.json']
full = [_oracle + 'data/coco/annotations/person_keypoints_val2017.json']
