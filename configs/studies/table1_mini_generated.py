# Offsets and heatmaps by stride, on generated people.
# python tools/run_study.py configs/studies/table1_mini_generated.py \
#     --work-dir work_dirs/table1_mini_generated --jobs 3
_base_ = './table1_mini.py'

_epochs = 30  # the schedule of adam_30e.py
common_options = {
    'train_cfg.max_epochs': _epochs,
    'param_scheduler.1.milestones': [24, 28],
    'val_evaluator.ann_file': 'data/generated_people/annotations/val.json',
    'test_evaluator.ann_file': 'data/generated_people/annotations/val.json',
}
for _loader, _split in [('train', 'train'), ('val', 'val'), ('test', 'val')]:
    common_options |= {
        f'{_loader}_dataloader.dataset.data_root': 'data/generated_people',
        f'{_loader}_dataloader.dataset.data_prefix.img': f'images/{_split}/',
    }
rows = [row for row in _base_.rows if row['name'].split(', ')[0] in ('OGN', 'MSRA')][:8]
