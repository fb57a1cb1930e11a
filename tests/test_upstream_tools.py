"""What docs/tools.md tells: MMPose's and MMDetection's own tools, publishing, logs."""

import hashlib
import importlib.util
import json
import re
import sys
from pathlib import Path

import cv2
import mmdet
import mmpose
import pytest
import torch
from conftest import load_tool
from mmengine.config import Config
from mmpose.registry import VISUALIZERS
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from test_keypoint_detector_training import small_config

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / 'tests/engine'))

import tiny_pose  # noqa: E402

publish_model = load_tool('misc/publish_model')


def run_tool(package, path, *arguments):
    """Run a script of MMPose or MMDetection as from the command line."""
    place = Path(package.__file__).parent / '.mim/tools' / path
    spec = importlib.util.spec_from_file_location(place.stem, place)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, 'argv', [path, *map(str, arguments)])
        script.main()


def write_snippet(word, path, base=None):
    """Write the config of docs/tools.md that has this word, on another base."""
    blocks = re.findall(
        r'```python\n(.*?)```', (ROOT / 'docs/tools.md').read_text(), re.S
    )
    (block,) = [block for block in blocks if word in block]
    first, _, rest = re.sub('^  ', '', block, flags=re.M).partition('\n')
    named = ROOT / re.search(r"'(configs/.*)'", first)[1]
    assert named.is_file()
    path.write_text(f"_base_ = '{base or named}'\n{rest}")
    return path


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """Config and work directory of one epoch by MMPose's train.py."""
    folder = tmp_path_factory.mktemp('upstream')
    base = tiny_pose.write_config(folder)
    config = write_snippet('Tensorboard', folder / 'tensorboard.py', base)
    run_tool(
        mmpose,
        'train.py',
        *(config, '--work-dir', folder / 'work', '--cfg-options'),
        *('train_cfg.max_epochs=1', 'train_dataloader.num_workers=0'),
        'train_dataloader.persistent_workers=False',
        'default_hooks.checkpoint.published_keys=[meta,state_dict]',
        # one of that name may be left in this process, with another folder
        f'visualizer.name={folder.name}',
    )
    return config, folder / 'work'


def test_tensorboard_has_losses_and_metrics(trained):
    (folder,) = trained[1].glob('*/vis_data')
    events = EventAccumulator(str(folder)).Reload()
    assert {'loss', 'acc_pose', 'lr', 'EPE'} <= set(events.Tags()['scalars'])
    assert len(events.Scalars('loss')) == 6
    assert (folder / 'scalars.json').exists()


def test_wandb_is_built_by_the_config(trained, tmp_path):
    config = Config.fromfile(write_snippet('Wandb', tmp_path / 'c.py', trained[0]))
    local, wandb = config.visualizer.vis_backends
    assert local.type == 'LocalVisBackend'
    visualizer = dict(config.visualizer, name=tmp_path.name, save_dir=str(tmp_path))
    visualizer = VISUALIZERS.build(visualizer)
    assert type(visualizer.get_backend(wandb.type)).__name__ == 'WandbVisBackend'


def test_published_at_the_end_of_a_training(trained):
    published = list(trained[1].glob('epoch_1-*.pth'))
    assert len(published) == 1
    assert set(torch.load(published[0])) == {'meta', 'state_dict'}


def test_published_afterwards(trained, tmp_path, capsys):
    publish_model.main([str(trained[1] / 'epoch_1.pth'), str(tmp_path / 'x/y.pth')])
    (path,) = (tmp_path / 'x').iterdir()
    assert capsys.readouterr().out.splitlines()[-1] == str(path)
    digits = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    assert path.name == f'y-{digits}.pth'
    published, trained = torch.load(path), torch.load(trained[1] / 'epoch_1.pth')
    assert set(published) == {'meta', 'state_dict'}
    assert published['meta']['cfg'] == trained['meta']['cfg']
    assert published['state_dict'].keys() == trained['state_dict'].keys()
    for name, weight in published['state_dict'].items():
        assert torch.equal(weight, trained['state_dict'][name])


def test_what_cannot_be_published(tmp_path):
    class Evil:
        def __reduce__(self):
            return Path.touch, (tmp_path / 'marker',)

    torch.save(dict(state_dict={}, meta=Evil()), tmp_path / 'evil.pth')
    torch.save(dict(epoch=1), tmp_path / 'empty.pth')
    for name, message in (
        ('no.pth', 'there is no such checkpoint'),
        ('evil.pth', 'evil.pth was not loaded: it asks for'),
        ('empty.pth', 'holds no weights'),
    ):
        with pytest.raises(SystemExit, match=message) as error:
            publish_model.main([str(tmp_path / name), str(tmp_path / 'out.pth')])
        assert '\n' not in str(error.value)
    assert {path.name for path in tmp_path.iterdir()} == {'evil.pth', 'empty.pth'}


def test_browse_dataset(trained, tmp_path):
    options = ['--not-show', '--max-item-per-dataset', 2, '--output-dir', tmp_path]
    run_tool(mmpose, 'misc/browse_dataset.py', trained[0], *options)
    pictures = [cv2.imread(str(path)) for path in tmp_path.iterdir()]
    # crops of 32x32, with the heatmaps below
    assert [picture.shape for picture in pictures] == [(64, 32, 3)] * 2


def test_browse_mixed_boxes(generated_people, tmp_path):
    annotations = generated_people / 'annotations/train.json'
    people = json.loads(annotations.read_text())['annotations']
    found = [
        dict(image_id=p['image_id'], category_id=1, bbox=p['bbox'], score=0.9)
        for p in people
    ]
    (tmp_path / 'found.json').write_text(json.dumps(found))
    base = Config.fromfile(
        ROOT / 'configs/ogn_topdown/td-ogn_res50-2deconv_8xb8-22e_coco-256x192.py'
    )
    base.train_dataloader.dataset.dataset.update(
        data_root='',
        ann_file=str(annotations),
        data_prefix=dict(img=str(generated_people / 'images/train')),
        detection_file=str(tmp_path / 'found.json'),
    )
    base.dump(tmp_path / 'base.py')
    config = write_snippet('_delete_', tmp_path / 'c.py', tmp_path / 'base.py')
    options = ['--not-show', '--max-item-per-dataset', 2]
    run_tool(
        *(mmpose, 'misc/browse_dataset.py', config),
        *(*options, '--output-dir', tmp_path / 'pictures'),
    )
    pictures = [cv2.imread(str(path)) for path in (tmp_path / 'pictures').iterdir()]
    # crops of 256x192, with the heatmaps below
    assert [picture.shape for picture in pictures] == [(512, 192, 3)] * 2


def test_get_flops(trained, capsys):
    shape = ['--input-shape', 32, 32]
    run_tool(mmpose, 'analysis_tools/get_flops.py', trained[0], *shape)
    # 224 and 584 of the convolutions, 16 of the normalization, 153 of the head
    assert 'Params: 0.977K' in capsys.readouterr().out


def test_print_config(trained, capsys):
    run_tool(mmpose, 'analysis_tools/print_config.py', trained[0])
    text = capsys.readouterr().out.partition('Config:\n')[2]
    config = Config.fromstring(text, '.py')
    assert config.model == Config.fromfile(trained[0]).model


def test_mmposes_test(trained, tmp_path):
    """The metric is that of the validation at the end of the training."""
    config, folder = trained
    run_tool(
        *(mmpose, 'test.py', config, folder / 'epoch_1.pth'),
        *('--work-dir', tmp_path, '--out', tmp_path / 'metrics.json'),
        *('--cfg-options', f'visualizer.name={tmp_path.name}'),
    )
    (log,) = folder.glob('*/vis_data/scalars.json')
    validated = json.loads(log.read_text().splitlines()[-1])
    metrics = json.loads((tmp_path / 'metrics.json').read_text())
    assert metrics['EPE'] == pytest.approx(validated['EPE'], rel=1e-5)


def test_analyze_logs(trained, tmp_path, capsys):
    (log,) = trained[1].glob('*/vis_data/scalars.json')
    options = ['--keys', 'loss', '--backend', 'Agg', '--out', tmp_path / 'x.png']
    run_tool(mmpose, 'analysis_tools/analyze_logs.py', 'plot_curve', log, *options)
    assert cv2.imread(str(tmp_path / 'x.png')).std() > 0
    run_tool(mmpose, 'analysis_tools/analyze_logs.py', 'cal_train_time', log)
    assert re.search(r'average iter time: [\d.]+ s/iter', capsys.readouterr().out)


@pytest.fixture(scope='module')
def detector(generated_people, tmp_path_factory):
    """Config and work directory of one epoch by MMDetection's train.py."""
    folder = tmp_path_factory.mktemp('detector')
    config = small_config(generated_people, folder / 'work')
    config.visualizer.name = folder.name
    config.train_cfg.max_epochs = 1
    config.default_hooks.logger.interval = 1
    config.dump(folder / 'config.py')
    run_tool(mmdet, 'train.py', folder / 'config.py')
    return folder / 'config.py', folder / 'work'


@pytest.mark.slow
def test_mmdetections_tools(detector, generated_people, tmp_path, capsys):
    """Every cell of the second column."""
    config, work_dir = detector
    capsys.readouterr()
    run_tool(mmdet, 'misc/print_config.py', config)
    assert "type='OffsetKeypointHead'" in capsys.readouterr().out

    pictures = tmp_path / 'pictures'
    options = ['--not-show', '--output-dir', pictures]
    run_tool(mmdet, 'analysis_tools/browse_dataset.py', config, *options)
    names = {path.name for path in (generated_people / 'images/train').iterdir()}
    assert {path.name for path in pictures.iterdir()} == names

    run_tool(mmdet, 'analysis_tools/get_flops.py', config, '--num-images', 1)
    assert re.search(r'Flops: [\d.]+[MG]\nParams: [\d.]+[KM]', capsys.readouterr().out)

    checkpoint = work_dir / 'epoch_1.pth'
    dump = tmp_path / 'predictions.pkl'
    run_tool(mmdet, 'test.py', config, checkpoint, '--out', dump)
    assert dump.exists()

    (log, *_) = sorted(work_dir.glob('*/vis_data/scalars.json'))
    options = ['--keys', 'loss', '--backend', 'Agg', '--out', tmp_path / 'x.png']
    run_tool(mmdet, 'analysis_tools/analyze_logs.py', 'plot_curve', log, *options)
    assert (tmp_path / 'x.png').stat().st_size > 5000
    run_tool(mmdet, 'analysis_tools/analyze_logs.py', 'cal_train_time', log)
    assert 'average iter time' in capsys.readouterr().out
