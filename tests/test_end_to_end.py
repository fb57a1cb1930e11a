"""The main job on generated people: train, test, and test the checkpoint again."""

from pathlib import Path

import pytest
from mmengine.config import Config

from ogn_mm.datasets.generated_people import generate_dataset
from ogn_mm.engine.launch import OGNRunner

ROOT = Path(__file__).parents[1]
DEMO = ROOT / 'configs/demo/td-ogn_res18-1deconv_1xb32-16e_generated-128x96.py'
STATED_AP = 0.05


@pytest.mark.slow
def test_training_reaches_the_stated_ap(tmp_path):
    """Half the demo's epochs on half its people."""
    generate_dataset(tmp_path / 'data', dict(train=500, val=80), workers=2)
    config = Config.fromfile(DEMO)
    config.work_dir = str(tmp_path / 'work_dir')
    config.train_cfg.update(max_epochs=8, val_interval=8)
    config.param_scheduler[0].update(end=50)
    config.param_scheduler[1].update(end=8, milestones=[6])
    for split in ('train', 'val', 'test'):
        config[f'{split}_dataloader'].dataset.data_root = str(tmp_path / 'data')
    annotations = str(tmp_path / 'data/annotations/val.json')
    config.val_evaluator.ann_file = config.test_evaluator.ann_file = annotations

    runner = OGNRunner.from_cfg(config)
    runner.train()
    trained = runner.message_hub.get_scalar('val/coco/AP').current()
    assert trained > STATED_AP

    config.load_from = str(tmp_path / 'work_dir/epoch_8.pth')
    config.experiment_name = 'checkpoint'
    tested = OGNRunner.from_cfg(config).test()['coco/AP']
    assert tested == pytest.approx(trained, abs=1e-4)
