"""One run of a study: a training and its test, in a folder of its own."""

import ast
import datetime
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from mmengine.config import Config

from ogn_mm.engine.atomic_write import write_atomically
from ogn_mm.engine.guarantees import GUARANTEES
from ogn_mm.engine.json_files import read_object

from .launch import ALONE, TOOLS, Launcher
from .record import (
    match_predictions,
    pack_matches,
    read_curves,
    read_result,
)

# Runs have these hooks whether their configs name them or not.
GIVEN = {f"dict(type='{kind.partition('.')[2]}')" for kind in GUARANTEES.values()}
SOURCES = ('ogn_mm', 'configs', 'tools')  # what results depend on
PROGRESS = re.compile(
    rb'Epoch\(train\)\s+\[(\d+)\]\[\s*(\d+)/(\d+)\]|Iter\(train\)\s+\[\s*(\d+)/\d+\]'
)


class Run:
    """A config and a seed: first ``tools/train.py``, then ``tools/test.py``.

    A run that has another one as its ``source`` only tests that one's weights, or, if
    it ``only_measures``, that one's predictions, which that one ``dumps``.

    Args:
        row (str): Name of the row.
        seed (int): The seed, which the config holds already.
        overrides (dict): What was merged into the config, for the record.
        cfg (Config): The resolved config.
        parent (Path): Folder of the row.
        launcher (Launcher): How its processes are started. Defaults to one process.
    """

    def __init__(
        self,
        row: str,
        seed: int,
        overrides: dict,
        cfg: Config,
        parent: Path,
        launcher: Launcher = ALONE,
    ):
        self.row, self.seed, self.overrides = row, seed, overrides
        self.launcher = launcher
        self.epochs = cfg.train_cfg.get('max_epochs')
        self.iterations = cfg.train_cfg.get('max_iters')
        self.text = cfg.pretty_text
        self.config = parent / f'seed{seed}.py'
        self.folder = parent / f'seed{seed}'
        self.log = self.folder / 'console.log'
        self.result = self.folder / 'result.json'
        self.metrics = self.folder / 'metrics.json'
        self.described = self.folder / 'test.json'
        self.predictions = self.folder / 'predictions.pkl'
        self.process = self.error = self.source = None
        self.only_measures = self.dumps = False

    def __str__(self):
        return f'{self.row}, seed {self.seed}'

    @property
    def finished(self) -> bool:
        """Whether there is a result of this very config, of weights still valid."""
        if not (self.result.exists() and self.same_config()):
            return False
        if self.source is None:
            return True
        times = self.source.finished and [
            read_object(run.result, **{key: str})[key]
            for run, key in ((self.source, 'finished'), (self, 'started'))
        ]
        return bool(times) and times[0] <= times[1]

    @property
    def ready(self) -> bool:
        """Whether the weights or predictions of another run, if it needs them, are
        there."""
        return self.source is None or self.source.finished

    def same_config(self) -> bool:
        """Whether the config on disk is this one, however it is formatted."""
        if not self.config.exists():
            return False
        return describe_config(self.config.read_text()) == describe_config(self.text)

    def start(self, env: dict, lock) -> None:
        """Begin or resume training; a folder of another config is set aside.

        Args:
            env (dict): Environment variables.
            lock: An open file that the processes keep open as well.
        """
        if self.folder.exists() and not self.same_config():
            number = len(list(self.folder.parent.glob(f'{self.folder.name}-old*')))
            self.folder.rename(f'{self.folder}-old{number + 1}')
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self.config, self.text)
        self.env, self.lock, self.testing = env, lock, self.source is not None
        self.resumed = self.find_checkpoint() is not None
        self.state = git_state()
        self.started = datetime.datetime.now()
        if self.only_measures:
            self.measure()
        elif self.testing:
            self.test()
        else:
            command = self.launcher.command(str(self), self.config)
            self.launch(*command, '--resume', '--work-dir', self.folder)

    def test(self) -> None:
        """Start the test of the last checkpoint."""
        trained = self.source or self
        checkpoint = trained.find_checkpoint()
        if checkpoint is None:
            self.error = f'the training of {trained} left no checkpoint'
            return
        command = self.launcher.command(str(self), self.config, checkpoint)
        dump = ['--dump', self.predictions] if self.dumps else []
        outputs = ['--out', self.metrics, '--describe', self.described]
        self.launch(*command, *dump, '--work-dir', self.folder, *outputs)

    def measure(self) -> None:
        """Start the measurement of another run's predictions."""
        predictions = self.source.predictions
        if not predictions.exists():
            self.error = f'{self.source} has left no {predictions}'
            return
        tool = TOOLS / 'analysis_tools/eval_metric.py'
        command = [sys.executable, tool, self.config, predictions]
        self.launch(*command, '--work-dir', self.folder, '--out', self.metrics)

    def launch(self, *command) -> None:
        """Start a tool as the leader of a process group."""
        command = [str(part) for part in command]
        with self.log.open('a') as log:
            log.write(f'$ {shlex.join(command)}\n')
            log.flush()
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.env,
                start_new_session=True,
                pass_fds=[self.lock.fileno()],
            )

    def find_checkpoint(self) -> Path | None:
        """The last checkpoint, also after the work directory was moved."""
        note = self.folder / 'last_checkpoint'
        if not note.exists():
            return None
        checkpoint = self.folder.resolve() / Path(note.read_text().strip()).name
        write_atomically(note, str(checkpoint))
        return checkpoint

    def tested_checkpoint(self) -> str:
        """Name of the checkpoint that the figures are of."""
        if self.only_measures:
            return read_result(self.source.result)['checkpoint']
        return (self.source or self).find_checkpoint().name

    def proceed(self) -> bool:
        """Go on to the test when training has ended; returns whether all has."""
        if self.error:
            return True
        code = self.process.poll()
        if code is None:
            return False
        if code:
            self.error = self.last_line() or f'ended with status {code}'
        elif self.testing:
            self.write_result()
        else:
            self.testing = True
            self.test()
            return self.error is not None
        return True

    def kill(self) -> None:
        """End the process, which saves first, and its data loaders."""
        if self.process is None:
            return
        for number, patience in ((signal.SIGTERM, 30), (signal.SIGKILL, None)):
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(patience)

    def progress(self) -> tuple[float, str]:
        """How much of the training is done: as a share in [0, 1], and in words."""
        if self.testing:
            return 1.0, 'test'
        with self.log.open('rb') as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 20000))
            found = PROGRESS.findall(log.read().rpartition(b'\n$ ')[2])
        if not found:
            return 0.0, 'start'
        epoch, batch, batches, iteration = (int(number or 0) for number in found[-1])
        if self.epochs:
            share = (epoch - 1 + batch / batches) / self.epochs
            return share, f'epoch {epoch}/{self.epochs}'
        return iteration / self.iterations, f'iteration {iteration}/{self.iterations}'

    def last_line(self) -> str:
        """The last line that a tool printed, if any."""
        text = self.log.read_text(errors='replace').rpartition('$ ')[2]
        lines = [line.strip() for line in text.splitlines()[1:] if line.strip()]
        return lines[-1] if lines else ''

    def write_result(self) -> None:
        """Write what was measured, and under which circumstances."""
        metrics = read_object(self.metrics)
        if 'coco/AP' not in metrics:
            self.error = f'the test gave no coco/AP but {sorted(metrics)}'
            return
        predictions = self.folder / 'predictions.keypoints.json'
        try:
            cfg = Config.fromfile(self.config)
            matches = match_predictions(cfg, predictions, metrics['coco/AP'])
            # of the process that tested: this one may be on a cluster's head node
            described = self.source.result if self.only_measures else self.described
            facts = dict(versions=dict, device=str, precision=str)
            described = read_object(described, **facts)
        except (ValueError, OSError) as error:
            self.error = str(error)
            return
        now = datetime.datetime.now()
        result = dict(
            row=self.row,
            seed=self.seed,
            metrics=metrics,
            overrides=self.overrides,
            checkpoint=self.tested_checkpoint(),
            **self.state,
            **{name: described[name] for name in facts},
            started=self.started.isoformat(timespec='seconds'),
            finished=now.isoformat(timespec='seconds'),
            wall_seconds=round((now - self.started).total_seconds(), 1),
            resumed=self.resumed,  # if so, the times are of the last part alone
            matches=pack_matches(matches),
            curves=read_curves(self.folder),
        )
        write_atomically(self.result, json.dumps(result))


def describe_config(text: str) -> list[str]:
    """A config's settings, however formatted and whatever watches over them."""
    settings = []
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets) == 'custom_hooks':
            hooks = [ast.unparse(hook) for hook in node.value.elts]
            settings += [h for h in hooks if h.replace('mmpose.', '') not in GIVEN]
        else:
            settings.append(ast.unparse(node))
    return settings


def git_state() -> dict:
    """Commit of the source and whether it was changed since; None outside of git."""
    git = ['git', '-C', str(TOOLS.parent)]
    try:
        commit, changes = (
            subprocess.run([*git, *ask], capture_output=True, text=True, check=True)
            for ask in (['rev-parse', 'HEAD'], ['status', '--porcelain', *SOURCES])
        )
    except (OSError, subprocess.CalledProcessError):
        return dict(commit=None, dirty=None)
    return dict(commit=commit.stdout.strip(), dirty=bool(changes.stdout))
