# Table 1: offsets, stride, input size and boxes; `mini` has MMPose's heads of today too.
smoke = [
    'python tools/dataset_tools/generate_people.py --out data/generated_people'
    ' --num-train 1000 --num-val 150',
    '{study} {out} configs/studies/table1_smoke.py',
]
mini = ['{study} {out} configs/studies/table1_mini.py']
full = ['{study} {out} configs/studies/table1_full.py']
