# The rows of keypoint_rcnn.py on photographs of one person each, 700 to train and 100 to
# test; the start is still the detector of generated crowds.
# python tools/run_study.py configs/studies/keypoint_rcnn_people1k.py \
#     --work-dir docs/results/keypoint_rcnn_people1k --jobs 2
_base_ = './keypoint_rcnn.py'

_root = 'data/people1k/'
_epochs = 4
common_options = {
    'train_cfg.max_epochs': _epochs,
    'train_cfg.val_begin': _epochs + 1,  # tested once, at the end
    'param_scheduler.1.T_max': _epochs,
    'val_evaluator.0.ann_file': f'{_root}annotations/val.json',
    'val_evaluator.1.ann_file': f'{_root}annotations/val.json',
    'test_evaluator.0.ann_file': f'{_root}annotations/val.json',
    'test_evaluator.1.ann_file': f'{_root}annotations/val.json',
}
for _split in ('train', 'val', 'test'):
    common_options[f'{_split}_dataloader.dataset.data_root'] = _root
    common_options[f'{_split}_dataloader.dataset.data_prefix.img'] = 'images/'
