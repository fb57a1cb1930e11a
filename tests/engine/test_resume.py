"""A training that is stopped again and again ends as one that is not."""

import pathlib
import random
import signal

import pytest
import tiny_pose
import torch
from killed_runs import fork_server, require_same_training, require_whole_checkpoints

from ogn_mm.engine.signals import PREEMPTED_STATUS

EPOCHS, ITERATIONS = 3, 6


@pytest.fixture(scope='module')
def server(tmp_path_factory):
    output = tmp_path_factory.mktemp('server') / 'output.txt'
    with fork_server(output) as run:
        run.output = output
        yield run


@pytest.fixture
def train(server, tmp_path):
    """A function that runs tools/train.py and returns its processes' exit codes."""

    def run(work_dir, *arguments, processes=1, **options):
        # every process has as many iterations, however many they are
        data = tmp_path / str(processes)
        config = tiny_pose.write_config(data, people=2 * ITERATIONS * processes)
        options = [f'{key}={value}' for key, value in options.items()]
        call = [config, '--work-dir', work_dir, *arguments]
        call += ['--launcher', 'pytorch'] if processes > 1 else []
        call += ['--cfg-options', *options] if options else []
        run.printed = server.output.stat().st_size
        return server('train', call, processes=processes)

    run.output = lambda: server.output.read_bytes()[run.printed :].decode()
    return run


def killed(at, **options):
    return {'default_hooks.kill.at': at} | {
        f'default_hooks.kill.{key}': value for key, value in options.items()
    }


def compare_killed_to_uninterrupted(train, folder, kills):
    """Train with a kill at each of ``kills`` = (iteration, event), and without."""
    for _, kill in sorted(kills):
        # without a given seed: the one drawn first has to be kept, too
        options = killed(kill) | {'randomness.seed': None}
        assert train(folder / 'a', '--resume', **options) == [-signal.SIGKILL], kill
    options = {'train_dataloader.num_workers': 1}
    assert train(folder / 'a', '--resume', **options) == [0]

    seed = torch.load(folder / 'a/epoch_3.pth')['meta']['seed']
    assert train(folder / 'b', **{'randomness.seed': seed}) == [0]
    require_same_training(folder / 'b', folder / 'a')
    assert len(list((folder / 'b').glob('*.pth'))) == 3  # two epochs and the best one


@pytest.mark.slow
def test_killed_training_repeats_the_uninterrupted_one(train, tmp_path):
    points = random.Random(3).sample(range(EPOCHS * ITERATIONS), 3)
    kills = [(point, f'train:{point}') for point in points]
    # cut off: epoch 1's validation, its best checkpoint, epoch 2's checkpoint
    kills += [(5.8, 'val:1'), (5.9, 'best:1'), (11.9, 'save:2')]
    compare_killed_to_uninterrupted(train, tmp_path, kills)


@pytest.mark.full
def test_kill_at_every_iteration(train, tmp_path):
    kills = [(point, f'train:{point}') for point in range(EPOCHS * ITERATIONS)]
    kills += [(6 * e - 0.2, 'val:2') for e in (1, 2, 3)]
    kills += [(6 * e - 0.3, f'save:{e}') for e in (1, 2, 3)]
    compare_killed_to_uninterrupted(train, tmp_path, kills)


@pytest.mark.slow
@pytest.mark.parametrize('processes', [1, 2])
def test_preempted_within_an_epoch(train, tmp_path, processes):
    """The iteration is finished and saved; the next one is the first after resuming.

    In two processes one alone gets the signal; its data loader's workers, too.
    """
    for at, name in ((8, 'SIGTERM'), (13, 'SIGUSR1')):
        options = killed(f'train:{at}', by=name, rank=processes - 1)
        codes = train(tmp_path / 'a', '--resume', processes=processes, **options)
        assert codes == [PREEMPTED_STATUS] * processes, train.output()
        # two processes agree in every second iteration
        done = at + 1 + (processes > 1 and at % 2 == 0)
        assert f'{name}: stopped after {done} iterations' in train.output()
        saved = torch.load(tmp_path / 'a/within_epoch.pth')
        assert (saved['meta']['epoch'], saved['meta']['iter']) == (at // 6, done)
        note = (tmp_path / 'a/last_checkpoint').read_text()
        assert note == str(tmp_path / 'a/within_epoch.pth')
    assert train(tmp_path / 'a', '--resume', processes=processes) == [0] * processes
    assert train(tmp_path / 'b', processes=processes) == [0] * processes
    require_same_training(tmp_path / 'b', tmp_path / 'a')


@pytest.mark.full
def test_preempted_at_every_iteration(train, tmp_path):
    for point in range(EPOCHS * ITERATIONS):
        options = killed(f'train:{point}', by='SIGTERM')
        assert train(tmp_path / 'a', '--resume', **options) == [PREEMPTED_STATUS]
    assert train(tmp_path / 'a', '--resume') == [0]
    assert train(tmp_path / 'b') == [0]
    require_same_training(tmp_path / 'b', tmp_path / 'a')


@pytest.mark.full
def test_preempted_with_changes(train, tmp_path):
    """Batches of another size cannot be told from those that are done."""
    options = killed('train:8', by='SIGTERM')
    assert train(tmp_path / 'a', **options) == [PREEMPTED_STATUS]
    options = {'train_dataloader.batch_size': 3}
    assert train(tmp_path / 'a', '--resume', **options) == [1]
    assert 'is of an epoch of 6 batches in 1 processes, which are now 4 in 1' in (
        train.output()
    )
    # nothing is lost thereby
    require_whole_checkpoints(tmp_path / 'a')
    assert train(tmp_path / 'a', '--resume') == [0]
    assert train(tmp_path / 'b') == [0]
    require_same_training(tmp_path / 'b', tmp_path / 'a')


@pytest.mark.full
def test_preempted_in_a_validation(train, tmp_path):
    """It is given up if the epoch is on disk, and finished if it is not."""
    for interval, code, last in ((1, PREEMPTED_STATUS, 'epoch_1'), (2, 75, 'within')):
        folder = tmp_path / str(interval)
        options = {'default_hooks.checkpoint.interval': interval}
        preempted = options | killed('val:0', by='SIGTERM')
        assert train(folder / 'a', **preempted) == [code]
        note = pathlib.Path((folder / 'a/last_checkpoint').read_text())
        assert note.name.startswith(last)
        assert train(folder / 'a', '--resume', **options) == [0]
        assert train(folder / 'b', **options) == [0]
        require_same_training(folder / 'b', folder / 'a')


@pytest.mark.slow
def test_preempted_around_a_validation_that_is_made_up_for(train, tmp_path):
    """Its workers, which stay, outlive the signal as well."""
    workers = {
        'val_dataloader.num_workers': 1,
        'val_dataloader.persistent_workers': True,
    }
    for at, say in (('val:0', 6), ('val:0', 6), ('train:8', 9)):
        options = workers | killed(at, by='SIGTERM')
        codes = train(tmp_path / 'a', '--resume', **options)
        assert codes == [PREEMPTED_STATUS], train.output()
        assert f'SIGTERM: stopped after {say} iterations' in train.output()
    assert train(tmp_path / 'a', '--resume', **workers) == [0]
    assert train(tmp_path / 'b', **workers) == [0]
    require_same_training(tmp_path / 'b', tmp_path / 'a')


@pytest.mark.slow
def test_killed_while_writing_a_better_checkpoint(train, tmp_path):
    """The best one so far stays."""
    assert train(tmp_path / 'a', **killed('best:2')) == [-signal.SIGKILL]
    require_whole_checkpoints(tmp_path / 'a')
    assert (tmp_path / 'a/best_EPE_epoch_1.pth').exists()
    assert train(tmp_path / 'a', '--resume') == [0]
    assert train(tmp_path / 'b') == [0]
    require_same_training(tmp_path / 'b', tmp_path / 'a')


@pytest.mark.slow
def test_a_full_disk_leaves_the_checkpoint_before(train, tmp_path):
    """One sentence; nothing cut off is left, and the run goes on once there is room."""
    # 15 steps write epoch 1's checkpoint, the best one, and the first again
    options = killed('step:16', by='FULL')
    assert train(tmp_path / 'a', **options) == [1]
    path = tmp_path / 'a/epoch_2.pth'
    assert (
        f"error: {tmp_path}/1/tiny.py: [Errno 28] No space left on device: '{path}'"
        in (train.output())
    )
    require_whole_checkpoints(tmp_path / 'a')
    assert {file.name for file in (tmp_path / 'a').glob('*.p*')} == {
        'epoch_1.pth',
        'best_EPE_epoch_1.pth',
        'tiny.py',
    }
    assert train(tmp_path / 'a', '--resume') == [0]
    assert train(tmp_path / 'b') == [0]
    require_same_training(tmp_path / 'b', tmp_path / 'a')


@pytest.mark.full
def test_a_full_disk_when_preempted(train, tmp_path):
    options = killed('step:16', by='FULL')
    # the disk is full after epoch 1, and the signal comes in epoch 2
    options |= {'custom_hooks.4.type': 'KillHook', 'custom_hooks.4.at': 'train:9'}
    options['custom_hooks.4.by'] = 'SIGTERM'
    assert train(tmp_path / 'a', **options) == [PREEMPTED_STATUS]
    assert 'The epoch was not saved: [Errno 28] No space left' in train.output()
    note = pathlib.Path((tmp_path / 'a/last_checkpoint').read_text())
    assert note.name == 'epoch_1.pth'
    require_whole_checkpoints(tmp_path / 'a')
    assert train(tmp_path / 'a', '--resume') == [0]
    assert train(tmp_path / 'b') == [0]
    require_same_training(tmp_path / 'b', tmp_path / 'a')


@pytest.mark.full
@pytest.mark.parametrize('processes', [1, 2])
def test_fifty_random_moments(train, tmp_path, processes):
    """Kills, preemptions, full disks and power cuts; finished trainings are compared.

    After a power cut a file that had not been synchronised is half as long.
    """
    rng, work_dir, codes = random.Random(processes), tmp_path / 'b', [0]
    assert train(work_dir, processes=processes) == [0] * processes
    note, begin = (work_dir / name for name in ('last_checkpoint', 'tiny.py'))
    seconds = note.stat().st_mtime - begin.stat().st_mtime
    ways, struck, trainings = ['SIGKILL', 'SIGTERM', 'SIGUSR1', 'FULL', 'CUT'], [], 0
    while len(struck) < 50 or any(codes):
        if not any(codes):  # the next training
            trainings += 1
            work_dir = tmp_path / f'a{trainings}'
        way = ways[len(struck) % len(ways)]
        at = f'time:{rng.uniform(0, seconds):.3f}'
        if way in ('FULL', 'CUT'):
            at = f'step:{rng.randrange(1, 20)}'
        options = killed(
            at if len(struck) < 50 else 'never',
            by='SIGKILL' if way == 'CUT' else way,
            rank=0 if way in ('FULL', 'CUT') else rng.randrange(processes),
        )
        codes = train(work_dir, '--resume', processes=processes, **options)
        require_whole_checkpoints(work_dir)
        if any(codes):
            struck.append((way, codes))
        else:
            require_same_training(tmp_path / 'b', work_dir)
    print(f'{trainings} trainings, {len(struck)} interruptions:')
    for way in ways:
        print(way, [codes for name, codes in struck if name == way])
    # whoever was asked to has saved; but for validations, which nobody waits for
    polite = [codes for name, codes in struck if name in ('SIGTERM', 'SIGUSR1')]
    assert [PREEMPTED_STATUS] * processes in polite
