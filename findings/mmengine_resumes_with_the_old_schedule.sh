#!/usr/bin/env bash
# Seen on 1 December 2026 with mmengine 0.10.7, torch 2.14.1 and numpy 2.4.6.
#
# Guess: resuming continues from the checkpoint's epoch by the config that is given:
# other milestones, another learning rate or more epochs hold from there on.
# Behaviour: a scheduler's state is all its settings, and an optimizer's has its
# learning rates. Both are loaded over what the config built, so that the old ones go on
# and those of the config have no effect. `end`, which is set to `max_epochs` where a
# config has none, is loaded as well: a training that is made longer and resumed keeps
# the last learning rate, for to the schedule it is over. Nothing is said, and the
# config in the log is the new one.
# For users: look at the learning rates in the log after resuming. To change them, start
# a new training from the weights: `load_from=CHECKPOINT` with `resume=False`. ogn_mm's
# trainings go on by the config's schedule and learning rate, and say so in the log.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile 'numpy==2.4.6' 'torch==2.14.1' \
    'mmengine==0.10.7' 'setuptools<81' 2> "$folder/log" || { cat "$folder/log"; exit 1; }
cat > "$folder/show.py" <<'PYTHON'
import shutil
import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer
from mmengine.model import BaseModel
from mmengine.runner import Runner


def method(owner, name):
    """The only `getattr` that the checkpoints below need."""
    assert owner is HistoryBuffer and name in ('min', 'max', 'mean', 'current')
    return getattr(owner, name)


# what a checkpoint of MMEngine holds beside tensors
torch.serialization.add_safe_globals([
    HistoryBuffer, np.ndarray, np.dtype, np.dtypes.Float64DType, np.dtypes.Int64DType,
    np._core.multiarray._reconstruct, np._core.multiarray.scalar,
    (method, 'builtins.getattr'),
])


class Model(BaseModel):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, inputs, mode='tensor'):
        return dict(loss=(self.weight - 1).pow(2).sum())


class Rates(Hook):
    def before_train(self, runner):
        self.seen = []

    def before_train_epoch(self, runner):
        self.seen.append(f'{runner.optim_wrapper.get_lr()["lr"][0]:g}')


def rates(name, epochs, lr, schedule, resume=False):
    """Learning rates of the epochs that this config trains."""
    hook = Rates()
    data = dict(dataset=[torch.zeros(1)], batch_size=1, num_workers=0,
                sampler=dict(type='DefaultSampler', shuffle=False))
    Runner(
        Model(), work_dir='work', experiment_name=name, log_level='WARNING',
        train_dataloader=data, train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=lr)),
        param_scheduler=dict(type='MultiStepLR', gamma=0.1, **schedule),
        custom_hooks=[hook], resume=resume,
    ).train()
    return hook.seen


cases = {
    'other milestones': (
        dict(lr=1, schedule=dict(milestones=[3], end=6)),
        dict(lr=1, schedule=dict(milestones=[5], end=6)),
    ),
    'another learning rate': (
        dict(lr=1, schedule=dict(milestones=[3], end=6)),
        dict(lr=0.5, schedule=dict(milestones=[3], end=6)),
    ),
    'more epochs': (
        dict(lr=1, schedule=dict(milestones=[3])),
        dict(lr=1, schedule=dict(milestones=[3])),
    ),
}
for k, (name, (old, new)) in enumerate(cases.items()):
    shutil.rmtree('work', ignore_errors=True)
    rates(f'old{k}', 2, **old)
    resumed = rates(f'resumed{k}', 6, **new, resume=True)
    shutil.rmtree('work')
    config = rates(f'new{k}', 6, **new)[2:]
    print(f'{name}: epochs 3 to 6 by the config', *config)
    print(f'{name}: epochs 3 to 6 resumed      ', *resumed)
PYTHON
expected='other milestones: epochs 3 to 6 by the config 1 1 1 0.1
other milestones: epochs 3 to 6 resumed       1 0.1 0.1 0.1
another learning rate: epochs 3 to 6 by the config 0.5 0.05 0.05 0.05
another learning rate: epochs 3 to 6 resumed       1 0.1 0.1 0.1
more epochs: epochs 3 to 6 by the config 1 0.1 0.1 0.1
more epochs: epochs 3 to 6 resumed       1 1 1 1'
found=$(cd "$folder" && venv/bin/python -W ignore show.py 2> log | grep ': epochs') \
    || { cat "$folder/log"; exit 1; }
echo "$found"
[ "$found" = "$expected" ] || { echo 'no longer as described'; exit 1; }
