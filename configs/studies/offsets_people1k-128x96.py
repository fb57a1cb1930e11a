# The same rows on the laptop's version of people1k: a trend only.
# bfloat16 where the CPU computes in it, else float32.
# python tools/run_study.py configs/studies/offsets_people1k-128x96.py \
#     --work-dir docs/studies/offsets_people1k-128x96 --jobs 2
_base_ = './offsets_people1k-256x192.py'

common_options = {'optim_wrapper.type': 'Bfloat16OptimWrapper'}
rows = [
    dict(row, config=row['config'].replace('100e', '30e').replace('256x192', '128x96'))
    for row in _base_.rows
]
