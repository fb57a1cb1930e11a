# The rows of keypoint_rcnn.py on a few generated people, far too short to learn.
_base_ = './keypoint_rcnn.py'

_root = 'data/generated_smoke/'
seeds = [0]
common_options = {
    'load_from': None,
    'param_scheduler.0.end': 5,
    'train_dataloader.num_workers': 0,
    'train_dataloader.persistent_workers': False,
    'val_evaluator.0.ann_file': f'{_root}annotations/val.json',
    'val_evaluator.1.ann_file': f'{_root}annotations/val.json',
    'test_evaluator.0.ann_file': f'{_root}annotations/val.json',
    'test_evaluator.1.ann_file': f'{_root}annotations/val.json',
}
for _split in ('train', 'val', 'test'):
    common_options[f'{_split}_dataloader.dataset.data_root'] = _root
