"""A training resumed with other settings goes on as if it had always had them."""

import itertools

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner

import ogn_mm.engine  # noqa: F401

IMAGES = 12
RUNS = itertools.count()
CONVERTED = dict(by_epoch=True, convert_to_iter_based=True)
SCHEDULES = dict(
    steps=[dict(type='MultiStepLR', milestones=[1, 3], **CONVERTED)],
    steps_by_epoch=[dict(type='MultiStepLR', milestones=[1, 3], by_epoch=True)],
    cosine=[dict(type='CosineAnnealingLR', **CONVERTED)],
    cosine_by_iteration=[dict(type='CosineAnnealingLR', by_epoch=False, T_max=30)],
    warm_up=[
        dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=5),
        dict(type='MultiStepLR', milestones=[1, 3], by_epoch=True),
        dict(type='PolyLR', power=0.5, begin=1, **CONVERTED),
        dict(type='LinearMomentum', start_factor=0.5, begin=1, **CONVERTED),
    ],
    none=None,
)


class Toy(BaseModel):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def forward(self, inputs, mode='loss'):
        return dict(loss=self.layer(inputs).square().mean())


class Record(Hook):
    """By iteration: the learning rate and momentum that it was trained with."""

    priority = 'VERY_LOW'

    def __init__(self):
        self.values, self.etas = {}, []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        group = runner.optim_wrapper.param_groups[0]
        self.values[runner.iter] = group['lr'], group['momentum']

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.etas.append(runner.message_hub.get_info('eta'))


def train(work_dir, resume=False, batch=2, images=IMAGES, loop=None, **options):
    """Train a model of two weights; returns what :class:`Record` has seen."""
    schedule = options.pop('schedule', SCHEDULES['steps'])
    record, checkpoint = Record(), dict(type='ResumableCheckpointHook', interval=1)
    checkpoint |= options.pop('checkpoint', {})
    optimizer = dict(type='SGD', lr=0.1, momentum=0.5)
    optimizer |= options.pop('optimizer', {})
    wrapper = dict(optimizer=optimizer)
    wrapper |= options.pop('wrapper', {})
    runner = Runner(
        Toy(),
        str(work_dir),
        train_dataloader=dict(
            batch_size=batch,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=True),
            collate_fn=dict(type='default_collate'),
            dataset=[dict(inputs=torch.rand(1)) for _ in range(images)],
        ),
        train_cfg=loop or dict(by_epoch=True, max_epochs=options.pop('epochs', 4)),
        optim_wrapper=wrapper,
        param_scheduler=schedule,
        default_hooks=dict(checkpoint=checkpoint),
        custom_hooks=[record],
        resume=resume,
        log_level='INFO',
        experiment_name=f'toy{next(RUNS)}',  # loggers are kept by their names
        default_scope='mmpose',
        **options,
    )
    runner.train()
    return record


def logged(work_dir):
    return ''.join(path.read_text() for path in work_dir.glob('*/*.log'))


@pytest.mark.parametrize('name', SCHEDULES)
@pytest.mark.parametrize('change', [dict(batch=6), dict(batch=1), dict(images=7)])
def test_another_epoch_length(tmp_path, name, change):
    """Iterations, schedules and the time left are those of the new length."""
    schedule = SCHEDULES[name]
    train(tmp_path / 'a', epochs=2, schedule=schedule)
    resumed = train(tmp_path / 'a', True, schedule=schedule, **change)
    straight = train(tmp_path / 'b', schedule=schedule, **change)
    assert resumed.values.items() <= straight.values.items()
    assert len(resumed.values) == len(straight.values) / 2
    assert resumed.etas[-1] == 0 and min(resumed.etas) == 0
    assert 'iterations are counted from' in logged(tmp_path / 'a')


@pytest.mark.parametrize(
    'change',
    [
        dict(schedule=[dict(type='MultiStepLR', milestones=[2], gamma=0.5)]),
        dict(schedule=[*SCHEDULES['steps'], *SCHEDULES['cosine']]),
        dict(schedule=SCHEDULES['cosine']),
        dict(optimizer=dict(lr=0.3)),
        dict(auto_scale_lr=dict(enable=True, base_batch_size=8)),
    ],
)
def test_another_schedule_or_learning_rate(tmp_path, change):
    train(tmp_path / 'a', epochs=2)
    resumed = train(tmp_path / 'a', True, **change)
    straight = train(tmp_path / 'b', **change)
    assert resumed.values.items() <= straight.values.items()
    assert '`lr` is' in logged(tmp_path / 'a')


def test_a_prolonged_training(tmp_path):
    """A schedule over all epochs, which MMEngine would leave at its end."""
    schedule = SCHEDULES['cosine']
    train(tmp_path / 'a', epochs=2, schedule=schedule)
    resumed = train(tmp_path / 'a', True, epochs=4, schedule=schedule)
    straight = train(tmp_path / 'b', epochs=4, schedule=schedule)
    assert resumed.values.items() <= straight.values.items()


def test_a_checkpoint_without_schedules(tmp_path):
    options = dict(schedule=SCHEDULES['warm_up'])
    train(tmp_path / 'a', **options, checkpoint=dict(save_param_scheduler=False))
    path = str(tmp_path / 'a/epoch_2.pth')
    resumed = train(tmp_path / 'a', True, load_from=path, **options)
    straight = train(tmp_path / 'b', **options)
    assert resumed.values.items() <= straight.values.items()


def test_unchanged_settings_change_nothing(tmp_path):
    """Not even what a hook has made of the learning rate."""
    schedule = [dict(type='ReduceOnPlateauLR'), *SCHEDULES['warm_up']]
    train(tmp_path, schedule=schedule)
    path = tmp_path / 'epoch_2.pth'
    content = torch.load(path)
    content['optimizer']['param_groups'][0]['lr'] = 0.7
    torch.save(content, path)
    resumed = train(tmp_path, True, load_from=str(path), schedule=schedule)
    assert resumed.values[12][0] == 0.7
    log = logged(tmp_path)
    assert 'iterations are counted' not in log and 'run anew' not in log


def test_a_loop_of_iterations_keeps_them(tmp_path):
    schedule = SCHEDULES['cosine_by_iteration']
    loop = dict(by_epoch=False, max_iters=6)
    hook = dict(by_epoch=False, interval=3)
    train(tmp_path, loop=loop, schedule=schedule, checkpoint=hook)
    loop = dict(loop, max_iters=9)
    resumed = train(
        tmp_path, True, batch=1, loop=loop, schedule=schedule, checkpoint=hook
    )
    assert list(resumed.values) == [6, 7, 8]


def test_accumulated_gradients(tmp_path):
    """MMEngine fails where more iterations are done than there are in all."""
    wrapper = dict(accumulative_counts=4)
    train(tmp_path, epochs=2, wrapper=wrapper)
    resumed = train(tmp_path, True, batch=6, wrapper=wrapper)
    assert list(resumed.values) == [4, 5, 6, 7]


def test_a_schedule_by_metrics_cannot_be_run_anew(tmp_path):
    schedule = [dict(type='ReduceOnPlateauLR'), *SCHEDULES['cosine_by_iteration']]
    train(tmp_path, epochs=2, schedule=schedule)
    for change in (dict(batch=6), dict(optimizer=dict(lr=0.3))):
        with pytest.raises(ValueError, match='ReduceOnPlateauLR depends on the met'):
            train(tmp_path, True, schedule=schedule, **change)


def test_a_schedule_by_metrics_that_need_not_be_run_anew(tmp_path):
    """More epochs and other batches, where what counts iterations is over."""
    schedule = [dict(type='ReduceOnPlateauLR'), SCHEDULES['warm_up'][0]]
    train(tmp_path, epochs=2, schedule=schedule)
    resumed = train(tmp_path, True, epochs=3, batch=3, schedule=schedule)
    assert list(resumed.values) == [*range(8, 12)]
    state = torch.load(tmp_path / 'epoch_3.pth')['param_schedulers'][0]
    assert (state['end'], state['_global_step']) == (3, 3)


def test_other_settings_of_the_optimizer_stay_with_a_warning(tmp_path):
    train(tmp_path, epochs=2)
    train(tmp_path, True, optimizer=dict(weight_decay=0.5, momentum=0.9))
    log = logged(tmp_path)
    assert '`weight_decay` stays 0, not 0.5' in log
    assert '`momentum` stays 0.5, not 0.9' in log


def test_another_optimizer_is_refused(tmp_path):
    train(tmp_path, epochs=2)
    adam = dict(type='Adam', lr=0.1)
    with pytest.raises(ValueError, match='another optimizer, which has `dampening`'):
        train(tmp_path, True, wrapper=dict(optimizer=adam))
