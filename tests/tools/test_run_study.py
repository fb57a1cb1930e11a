"""The study runner: once with the real tools, else with quick stand-ins for them."""

import importlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from mmengine.config import Config

ROOT = Path(__file__).parents[2]
DEMO = ROOT / 'configs/demo/td-ogn_res18-1deconv_1xb32-16e_generated-128x96.py'

# Trains nothing, but leaves what MMEngine's Runner leaves and can fail and be resumed.
TRAIN = """
import argparse, json, pathlib, sys, time
from mmengine.config import Config
parser = argparse.ArgumentParser()
parser.add_argument('config')
parser.add_argument('--work-dir')
parser.add_argument('--resume', action='store_true', required=True)
parser.add_argument('--launcher')
args = parser.parse_args()
cfg = Config.fromfile(args.config)
work_dir = pathlib.Path(args.work_dir).resolve()
note = work_dir / 'last_checkpoint'
first = 1
if note.exists():
    checkpoint = pathlib.Path(note.read_text())
    first = 1 + json.loads(checkpoint.read_text())['epoch']
    print('resumed after epoch', first - 1, flush=True)
vis_data = work_dir / f'{time.time_ns()}' / 'vis_data'
vis_data.mkdir(parents=True)
for epoch in range(first, cfg.train_cfg.max_epochs + 1):
    print(f'INFO - Epoch(train)  [{epoch}][2/2]  lr: 1.0', flush=True)
    if epoch == cfg.get('fail_at'):
        sys.exit('error: this is the cause\\n')
    time.sleep(cfg.seconds)
    while epoch > 1 and cfg.waits_for and not pathlib.Path(cfg.waits_for).exists():
        time.sleep(0.05)
    checkpoint = work_dir / f'epoch_{epoch}.pth'
    state = dict(epoch=epoch, seed=cfg.randomness.seed)
    checkpoint.write_text(json.dumps(state))
    note.write_text(str(checkpoint))
    with (vis_data / 'scalars.json').open('a') as log:
        entry = {'coco/AP': epoch / 10 + cfg.error / 100, 'step': epoch}
        log.write(json.dumps(entry) + '\\n')
"""

# "Predicts" the annotations with an error that grows with the config and the seed.
TEST = """
import argparse, json, pathlib
import numpy as np
from mmengine.config import Config
from xtcocotools.coco import COCO
from xtcocotools.cocoeval import COCOeval
parser = argparse.ArgumentParser()
for name in ('config', 'checkpoint', '--work-dir', '--out', '--launcher', '--dump'):
    parser.add_argument(name)
parser.add_argument('--describe', type=pathlib.Path)
args = parser.parse_args()
cfg = Config.fromfile(args.config)
state = json.loads(pathlib.Path(args.checkpoint).read_text())
assert state == dict(epoch=cfg.train_cfg.max_epochs, seed=cfg.randomness.seed)
metrics = cfg.test_evaluator
of_boxes = metrics[:-1] if isinstance(metrics, list) else []
metric = metrics[-1] if of_boxes else metrics
truth = COCO(metric.ann_file)
rng = np.random.default_rng(state['seed'])
results = []
for person in truth.anns.values():
    keypoints = np.reshape(person['keypoints'], (-1, 3)).astype(float)
    keypoints[:, :2] += cfg.error * rng.normal(0, 1, (len(keypoints), 2))
    results.append(dict(
        image_id=person['image_id'], category_id=1, score=rng.random(),
        keypoints=keypoints.ravel().tolist()))
path = metric.outfile_prefix + '.keypoints.json'
pathlib.Path(path).write_text(json.dumps(results))
evaluation = COCOeval(truth, truth.loadRes(path), 'keypoints')
evaluation.evaluate()
evaluation.accumulate()
evaluation.summarize()
names = ('coco/AP', 'coco/AP .5', 'coco/AP .75', 'M', 'L', 'coco/AR')
metrics = dict(zip(names, evaluation.stats))
metrics.update({'coco/bbox_mAP': 0.625 for _ in of_boxes})
pathlib.Path(args.out).write_text(json.dumps(metrics))
record = dict(device='a GPU', versions=dict(torch='9'), precision='float32')
args.describe.write_text(json.dumps(record))
"""

CONFIG = """
model = dict(type='Nothing')
train_cfg = dict(max_epochs=3)
seconds, error, fail_at, waits_for = 0, 1.0, None, None
test_dataloader = dict(
    dataset=dict(type='CocoDataset', data_root='{data}', data_mode='topdown',
                 ann_file='annotations/val.json', pipeline=[]))
test_evaluator = dict(type='CocoMetric', ann_file='{data}/annotations/val.json')
"""

DETECTOR = """
default_scope = 'mmdet'
model = dict(type='Nothing')
train_cfg = dict(max_epochs=3)
seconds, error, fail_at, waits_for = 0, 1.0, None, None
test_dataloader = dict(
    dataset=dict(type='CocoKeypointDetectionDataset', data_root='{data}',
                 ann_file='annotations/val.json', pipeline=[]))
ann_file = '{data}/annotations/val.json'
test_evaluator = [
    dict(type='CocoMetric', ann_file=ann_file, metric='bbox'),
    dict(type='mmpose.KeypointDetectionMetric', ann_file=ann_file)]
"""

STUDY = """
seeds = [0, 1]
baseline = 'plain'
rows = [
    dict(name='plain', config='{config}'),
    dict(name='Better, R = 2', config='{config}', cfg_options=dict(error=0.3)),
]
"""


class Study:
    """A study file and the study runner beside stand-ins for training and test."""

    def __init__(self, folder: Path, data: Path):
        self.folder, self.work_dir = folder, folder / 'W'
        self.tools = folder / 'tools'
        shutil.copytree(ROOT / 'tools/study', self.tools / 'study')
        for script in ('run_study.py', 'slurm_train.sh', 'slurm_test.sh'):
            shutil.copy(ROOT / 'tools' / script, self.tools)
        (self.tools / 'train.py').write_text(TRAIN)
        (self.tools / 'test.py').write_text(TEST)
        self.config = folder / 'base.py'
        self.config.write_text(CONFIG.format(data=data))
        self.file = folder / 'study.py'
        self.write(STUDY)

    def write(self, text: str) -> None:
        self.file.write_text(text.format(config=self.config))

    def command(self, *arguments) -> list:
        fixed = ('--work-dir', self.work_dir, *arguments)
        return [sys.executable, self.tools / 'run_study.py', self.file, *fixed]

    def results(self) -> dict:
        return json.loads((self.work_dir / 'results.json').read_text())

    def runs(self) -> dict:
        """(row, seed): wall-clock-free part of its result."""
        changing = ('started', 'finished', 'wall_seconds', 'resumed')
        return {
            (run['row'], run['seed']): {k: run[k] for k in run if k not in changing}
            for run in self.results()['runs']
        }


@pytest.fixture
def study(tmp_path, generated_people):
    return Study(tmp_path, generated_people)


def list_imported():
    """Names of the study runner's modules that are imported."""
    return [n for n in sys.modules if n.partition('.')[0] in ('run_study', 'study')]


@pytest.fixture
def load_runner(monkeypatch):
    """Imports the study runner of a folder of tools."""

    def load(tools: Path):
        for name in list_imported():
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.syspath_prepend(tools)
        return importlib.import_module('run_study')

    yield load
    for name in list_imported():  # other tests shall not get the stand-ins
        del sys.modules[name]


@pytest.fixture
def interruptible():
    """SIGINT as in a terminal; the background jobs of a shell ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def run_study(study, load_runner, capsys):
    """Calls the runner's main in this process: (exit status, output)."""
    main = load_runner(study.tools).main

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main(list(map(str, study.command(*arguments)[2:])))
        output = ''.join(capsys.readouterr())
        if isinstance(end.value.code, str):
            return 1, output + end.value.code
        return end.value.code, output

    return run


def test_rows_times_seeds_are_compared(study, run_study):
    code, output = run_study('--jobs', 2)
    assert code == 0
    assert '4 runs, 0 of them already finished' in output
    assert output.count('finished:') == 4
    results = study.results()
    assert [(run['row'], run['seed']) for run in results['runs']] == [
        ('plain', 0),
        ('Better, R = 2', 0),
        ('plain', 1),
        ('Better, R = 2', 1),
    ]
    run = results['runs'][3]
    assert run['overrides'] == {'error': 0.3, 'randomness.seed': 1}
    assert run['checkpoint'] == 'epoch_3.pth'
    assert run['folder'] == 'better-r-2/seed1'
    assert not run['resumed']
    assert run['precision'] == 'float32'
    for field in ('versions', 'device', 'commit', 'dirty', 'started', 'finished'):
        assert field in run
    assert Config.fromfile(study.work_dir / run['config']).error == 0.3
    metrics = study.work_dir / run['folder'] / 'metrics.json'
    assert run['metrics'] == json.loads(metrics.read_text())

    ap = {key: 100 * run['metrics']['coco/AP'] for key, run in study.runs().items()}
    rows = [line.split('|') for line in output.splitlines() if line.startswith('|')]
    for cells, name in zip(rows[2:], ('plain', 'Better, R = 2'), strict=True):
        first, second = ap[name, 0], ap[name, 1]
        mean, spread = (first + second) / 2, abs(first - second) / 2**0.5
        assert cells[1].strip() == name
        assert cells[2].strip() == '2'
        assert cells[3].strip() == f'{mean:.1f} ± {spread:.1f}'
    gain = (ap['Better, R = 2', 0] + ap['Better, R = 2', 1]) / 2
    gain -= (ap['plain', 0] + ap['plain', 1]) / 2
    difference, interval = rows[3][7].split(maxsplit=1)
    low, high = json.loads(interval.replace('+', ''))
    assert difference == f'{gain:+.1f}'
    assert low <= float(difference) <= high
    assert (study.work_dir / 'table.md').read_text() in output
    assert (study.work_dir / 'study.png').stat().st_size > 10000

    # what is finished is kept, also when the study is moved
    moved = study.folder / 'moved'
    study.work_dir.rename(moved)
    study.work_dir, before = moved, results
    code, output = run_study('--jobs', 2)
    assert code == 0
    assert '4 of them already finished' in output
    assert study.results()['runs'] == before['runs']


def test_detectors_are_compared_by_their_keypoints(study, run_study, generated_people):
    """Their table has the boxes' AP, too."""
    study.config.write_text(DETECTOR.format(data=generated_people))
    code, output = run_study('--seeds', 0)
    assert code == 0, output
    head, _, plain, better = output.partition('| row ')[2].splitlines()[:4]
    assert '| box AP |' in head
    assert '| 62.5 |' in plain and '| 62.5 | +' in better


def test_configs_and_results_are_all_that_is_needed_later(study, run_study):
    """Without predictions, logs, checkpoints and the annotations themselves."""
    code, before = run_study('--jobs', 2)
    kept = study.folder / 'kept'
    for run in study.results()['runs']:
        for name in (run['config'], f'{run["folder"]}/result.json'):
            (kept / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(study.work_dir / name, kept / name)
            assert (kept / name).stat().st_size < 10000
    study.work_dir = kept
    code, after = run_study('--jobs', 2)
    assert code == 0
    assert '4 of them already finished' in after
    tables = (
        text[text.index('| row') : text.index('- Command')] for text in (before, after)
    )
    assert next(tables) == next(tables)
    curves = study.results()['runs'][0]['curves']
    assert [step for step, _ in curves['coco/AP']] == [1, 2, 3]
    assert (kept / 'study.png').stat().st_size > 10000


def test_predictions_that_contradict_the_test_are_an_error(study, run_study):
    test = study.tools / 'test.py'
    test.write_text(TEST.replace('evaluation.stats', 'evaluation.stats / 2'))
    code, output = run_study('--seeds', 0)
    assert code == 1
    assert 'predictions.keypoints.json: gives AP' in output


def test_only_what_changed_is_done_again(study, run_study):
    assert run_study('--seeds', 0)[0] == 0
    before = study.results()['runs']
    study.write(STUDY.replace('error=0.3', 'error=3.0'))
    code, output = run_study('--seeds', 0)
    assert code == 0
    assert '1 of them already finished' in output
    after = study.results()['runs']
    assert after[0] == before[0]
    assert after[1]['overrides']['error'] == 3.0
    assert after[1]['metrics']['coco/AP'] < before[1]['metrics']['coco/AP']
    aside = study.work_dir / 'better-r-2/seed0-old1/metrics.json'
    assert json.loads(aside.read_text()) == before[1]['metrics']


def test_hooks_that_watch_leave_results_valid(study, run_study):
    assert run_study('--seeds', 0)[0] == 0
    config = study.config.read_text()
    watched = "custom_hooks = [dict(type='mmpose.CheckLossHook'{})]\n"
    for arguments, finished in (('', 2), (', max_skips=1', 0)):
        study.config.write_text(config + watched.format(arguments))
        code, output = run_study('--seeds', 0)
        assert code == 0
        assert f'2 runs, {finished} of them already finished' in output


TESTED_ONLY = """
rows.insert(0, dict(name='lucky', config='{config}', weights_of='plain',
                    cfg_options=dict(error=0.1)))
"""


def test_a_row_may_test_the_weights_of_another(study, run_study):
    study.write(STUDY + TESTED_ONLY)
    code, output = run_study('--rows', 'lucky', '--seeds', 0)
    assert code == 1
    assert 'it needs plain, seed 0, which is not finished' in output

    assert run_study('--jobs', 2)[0] == 0
    runs = study.runs()
    assert len(runs) == 6
    for seed in (0, 1):
        run = runs['lucky', seed]
        assert run['checkpoint'] == runs['plain', seed]['checkpoint']
        assert run['curves'] == {}
        assert run['metrics']['coco/AP'] > runs['plain', seed]['metrics']['coco/AP']
        assert not list((study.work_dir / 'lucky').rglob('*.pth'))

    # where the training is done anew, so is the test
    study.write(
        (STUDY + TESTED_ONLY).replace(
            "config='{config}')", "config='{config}', cfg_options=dict(error=2.0))", 1
        )
    )
    code, output = run_study('--seeds', 0)
    assert code == 0
    assert '1 of them already finished' in output

    shutil.rmtree(study.work_dir / 'lucky')
    (study.work_dir / 'plain/seed0/last_checkpoint').unlink()
    code, output = run_study('--seeds', 0)
    assert code == 1
    assert 'the training of plain, seed 0 left no checkpoint' in output


def test_a_row_may_measure_the_predictions_of_another(study, run_study):
    study.write(
        STUDY + "rows += [dict(name='x', config='{config}', predictions_of='plain')]"
    )
    code, output = run_study('--seeds', 0)
    assert code == 1
    # the stand-in for the test dumps nothing
    assert 'failed: x, seed 0: plain, seed 0 has left no ' in output
    assert 'plain/seed0/predictions.pkl' in output


def test_a_failing_run_stops_no_other(study, run_study):
    study.write(STUDY.replace("name='plain'", "cfg_options=dict(fail_at=2), name='a'"))
    study.write(study.file.read_text().replace("'plain'", "'a'"))
    code, output = run_study('--seeds', 0, '--jobs', 2)
    assert code == 1
    assert 'failed: a, seed 0: error: this is the cause (see ' in output
    results = study.results()
    assert [run['row'] for run in results['runs']] == ['Better, R = 2']
    assert results['missing'] == ['a, seed 0']
    assert 'Missing: 1 run (a, seed 0).' in (study.work_dir / 'table.md').read_text()

    # it is tried again, from its checkpoint, and only it
    train = study.tools / 'train.py'
    train.write_text(TRAIN.replace("cfg.get('fail_at')", 'None'))
    code, output = run_study('--seeds', 0)
    assert code == 0
    assert '1 of them already finished' in output
    log = (study.work_dir / 'a/seed0/console.log').read_text()
    assert log.count('resumed after epoch 1') == 1
    assert 'a, seed 0' not in (study.work_dir / 'table.md').read_text()


def test_rows_can_be_run_one_by_one(study, run_study):
    assert 'nothing to report' in run_study('--report')[1]
    assert run_study('--rows', 'plain', '--seeds', 3)[0] == 0
    assert list(study.runs()) == [('plain', 3)]
    code, output = run_study('--rows', 'Better, R = 2', '--seeds', 3, 3)
    assert code == 0
    assert '1 runs, 0 of them' in output
    assert list(study.runs()) == [('plain', 3), ('Better, R = 2', 3)]
    table = study.work_dir / 'table.md'
    table.unlink()
    assert run_study('--report', '--seeds', 3)[0] == 0
    assert table.exists()


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def trainings(study) -> list[int]:
    """Process ids of the stand-ins at work for a study."""
    found = []
    for entry in Path('/proc').glob('[0-9]*/cmdline'):
        try:
            command = entry.read_bytes()
        except OSError:
            continue
        if str(study.tools / 'train.py').encode() in command:
            found.append(int(entry.parent.name))
    return found


def test_interrupted_studies_go_on(study, run_study, interruptible):
    go_on = study.folder / 'go_on'  # until it exists, nobody gets beyond epoch 1
    study.write(f"common_options = dict(waits_for='{go_on}')" + STUDY)
    folders = [study.work_dir / row / 'seed0' for row in ('plain', 'better-r-2')]

    # killed outright, it leaves trainings behind: nobody must join in
    process = subprocess.Popen(study.command('--jobs', '2', '--seeds', '0'))
    wait_for(lambda: all((folder / 'last_checkpoint').exists() for folder in folders))
    process.kill()
    process.wait()
    code, output = run_study('--seeds', 0)
    assert code == 1
    assert 'are still going on' in output
    for pid in trainings(study):
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not trainings(study))

    # interrupted, it ends them
    def resumed() -> list[bool]:
        logs = [(folder / 'console.log').read_text() for folder in folders]
        return ['resumed after epoch 1' in log for log in logs]

    def interrupt():
        try:
            wait_for(lambda: all(resumed()))
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    assert not any(resumed())
    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    code, output = run_study('--jobs', 2, '--seeds', 0)
    interrupter.join()
    assert code == 130
    assert 'the same command goes on from here' in output
    assert all(resumed())
    wait_for(lambda: not trainings(study))
    assert not (folders[0] / 'result.json').exists()

    go_on.touch()
    assert run_study('--jobs', 2, '--seeds', 0)[0] == 0
    for run in study.results()['runs']:
        log = (study.work_dir / run['folder'] / 'console.log').read_text()
        assert log.count('resumed after epoch 1') == 2
        assert run['resumed']
        assert run['checkpoint'] == 'epoch_3.pth'


@pytest.mark.full
def test_random_kills_of_a_study(study, run_study, tmp_path, generated_people):
    """Runs that are finished stay as they are; the rest ends as if undisturbed."""
    study.write('common_options = dict(seconds=0.3)' + STUDY)
    rng, results, kills = random.Random(0), {}, 0
    for _ in range(25):
        process = subprocess.Popen(
            study.command('--jobs', '2'), stdout=subprocess.DEVNULL
        )
        try:
            process.wait(rng.uniform(2, 12))
        except subprocess.TimeoutExpired:
            process.send_signal(rng.choice([signal.SIGKILL, signal.SIGTERM]))
            process.wait()
            kills += 1
        for pid in trainings(study):  # what a SIGKILL left
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not trainings(study))
        for path in study.work_dir.glob('*/seed*/result.json'):
            assert results.setdefault(path, path.read_text()) == path.read_text()
        if process.returncode == 0:
            break
    print(f'{kills} kills')
    assert run_study('--jobs', 2)[0] == 0
    assert len(results) <= 4 and len(study.runs()) == 4
    other = tmp_path / 'undisturbed'
    other.mkdir()
    undisturbed = Study(other, generated_people)
    undisturbed.write('common_options = dict(seconds=0.3)' + STUDY)
    subprocess.run(undisturbed.command('--jobs', '2'), check=True)
    assert study.runs() == undisturbed.runs()


def test_faulty_studies_are_refused_before_anything_runs(study, run_study):
    for old, new, message in (
        ("baseline = 'plain'", "basline = 'plain'", 'basline'),
        ("baseline = 'plain'", "baseline = 'x'", "`baseline` 'x' is none of"),
        ("name='plain'", "nam='plain'", '`rows[0]` needs `name`'),
        ("name='plain'", "name='better  r-2'", 'names must differ'),
        ("config='{config}')", "config='nowhere.py')", "row 'plain': "),
        ('error=0.3', 'tran_cfg=dict()', 'did you mean `train_cfg`'),
        ('error=0.3)', "), weights_of='x'", "`weights_of` 'x' is none of"),
        ('error=0.3)', "), predictions_of='x'", "`predictions_of` 'x' is none of"),
        (
            'error=0.3)',
            "), weights_of='plain', predictions_of='plain'",
            '`rows[1]` has both',
        ),
        ('rows = [', 'rows = [(', 'study.py'),
    ):
        assert old in STUDY
        study.write(STUDY.replace(old, new))
        code, output = run_study()
        assert code == 1
        assert message in output
        assert not study.work_dir.exists()
    study.write(STUDY)
    assert "['x'] are not all of the rows" in run_study('--rows', 'x')[1]


def test_codec_options_reach_encoder_and_decoder(run_study):
    from study.plan import resolve_config

    cfg = resolve_config(
        str(DEMO), {'codec.radius': 2.5}, {'model.head.decoder.sigma': 0}
    )
    assert cfg.codec.radius == 2.5
    assert cfg.model.head.decoder.radius == 2.5
    assert cfg.model.head.decoder.sigma == 0
    (encoder,) = (
        step.encoder
        for step in cfg.train_dataloader.dataset.pipeline
        if 'encoder' in step
    )
    assert encoder == cfg.codec


@pytest.mark.slow
def test_training_and_test_by_the_real_tools(
    tmp_path, generated_people, load_runner, capfd
):
    data = f'{generated_people}/'
    annotations = f'{data}annotations/val.json'
    options = {
        f'{split}_dataloader.{key}': value
        for split in ('train', 'val', 'test')
        for key, value in {
            'dataset.data_root': data,
            'num_workers': 0,
            'persistent_workers': False,
            'batch_size': 4,
        }.items()
    }
    options['train_cfg.max_epochs'] = 2
    options['val_evaluator.ann_file'] = annotations
    options['test_evaluator.ann_file'] = annotations
    study, work_dir = tmp_path / 'study.py', tmp_path / 'W'
    rows = [
        dict(name='OGN', config=str(DEMO)),
        dict(name='again', config=str(DEMO), predictions_of='OGN'),
        dict(
            name='best score first',
            config=str(DEMO),
            predictions_of='OGN',
            cfg_options={'test_evaluator.score_mode': 'keypoint'},
        ),
    ]
    Config(dict(common_options=options, rows=rows)).dump(study)
    with pytest.raises(SystemExit) as end:
        load_runner(ROOT / 'tools').main([str(study), '--work-dir', str(work_dir)])
    assert end.value.code == 0, capfd.readouterr().err

    run, again, other = json.loads((work_dir / 'results.json').read_text())['runs']
    assert run['metrics'] == again['metrics']
    assert run['matches'] == again['matches'] != other['matches']
    for measured in (run, again, other):
        assert measured['checkpoint'] == 'epoch_2.pth'
    assert (work_dir / 'ogn/seed0/epoch_2.pth').exists()
    assert 0 <= run['metrics']['coco/AP'] <= 1
    predictions = work_dir / 'ogn/seed0/predictions.keypoints.json'
    images = {pose['image_id'] for pose in json.loads(predictions.read_text())}
    coco = json.loads(Path(annotations).read_text())
    assert images == {image['id'] for image in coco['images']}
    assert '| OGN | 1 |' in (work_dir / 'table.md').read_text()
    assert (work_dir / 'study.png').exists()


def test_runs_on_a_slurm_cluster(study, run_study, tmp_path, monkeypatch):
    srun = tmp_path / 'bin/srun'  # runs the job here, and notes how it was called
    srun.parent.mkdir()
    srun.write_text(
        f'#!/bin/bash\necho "$@" >> {tmp_path}/calls\n'
        'while [ "$1" != python ]; do shift; done\nexec "$@"\n'
    )
    srun.chmod(0o755)
    path = [str(srun.parent), str(Path(sys.executable).parent), os.environ['PATH']]
    monkeypatch.setenv('PATH', ':'.join(path))
    code, output = run_study('--seeds', 0, '--gpus', 4, '--slurm', 'part')
    assert code == 0, output
    calls = (tmp_path / 'calls').read_text().splitlines()
    tools = [Path(call.split(' -u ')[1].split()[0]).name for call in calls]
    assert tools == ['train.py', 'test.py', 'train.py', 'test.py']
    assert all('-p part --job-name=' in call for call in calls)
    assert all('--ntasks=4' in call for call in calls)
    devices = [run['device'] for run in study.runs().values()]
    assert devices == ['a GPU'] * 2  # the node's


def test_results_of_a_paper_stand_in_the_table(study, run_study):
    text = STUDY.replace("name='plain',", "name='plain', paper=52.0,")
    study.write("note = 'On other data.'\n" + text)
    code, output = run_study('--seeds', 0)
    assert code == 0
    head, _, plain, better = [
        [cell.strip() for cell in line.split('|')[1:-1]]
        for line in output.splitlines()
        if line.startswith('|')
    ]
    column = head.index('AP, paper')
    assert (plain[column], better[column]) == ('52.0', '')
    assert 'On other data.' in output
