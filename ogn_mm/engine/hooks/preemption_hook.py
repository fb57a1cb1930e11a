import functools
import os
import signal
import threading

import torch
from mmengine.dist import all_reduce, barrier
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop
from mmpose.registry import HOOKS
from torch.utils.data import DataLoader

from ogn_mm.engine.signals import PREEMPTED_STATUS, PREEMPTION, SignalNote

from .resumable_checkpoint_hook import ResumableCheckpointHook


@HOOKS.register_module()
class PreemptionHook(Hook):
    """Save and exit when a cluster asks a training to make room.

    After one of the signals the running iteration is finished and what it needs is
    saved, within the epoch as well; then the process exits with status 75 (EX_TEMPFAIL
    of sysexits.h). ``tools/train.py --resume`` goes on with the next iteration. With
    :class:`EpochSeedHook` it ends as if nothing had happened, bit for bit on the CPU.

    - It needs :class:`ResumableCheckpointHook`; with another checkpoint hook the
      training exits as well, and goes on from that one's last checkpoint.
    - It is enough if one of several processes gets the signal: they agree on an
      iteration to stop at, and rank 0 saves.
    - While gradients are accumulated it waits until the weights are updated.
    - A validation is given up at once if its epoch's checkpoint is on disk, since it
      is repeated on resuming; else it is finished first.
    - Data loaders' workers outlive a SIGTERM that is sent to all of a job's processes,
      as Slurm does, and serve the iterations that are left.
    - A full disk does not change the status: the training goes on from the checkpoint
      before.

    Args:
        signals (tuple[str]): Names of signals. Defaults to SIGTERM and SIGUSR1.
        interval (int): Iterations from one agreement of several processes to the
            next, > 0: each waits for the slowest process. The signals have to come
            that much before the kill. Defaults to 10.
    """

    priority = 'LOWEST'  # so that an iteration is complete in every hook

    def __init__(self, signals=PREEMPTION, interval: int = 10):
        self.note = SignalNote(signals)
        self.interval = interval
        self.agreed = 0

    def before_run(self, runner):
        # before any worker starts, as those of a validation that is made up for
        if self.note.handlers or not isinstance(runner._train_loop, BaseLoop):
            return
        self.note.listen()
        for loop in (runner.train_loop, runner.val_loop):
            if loop is not None and self.note.handlers:
                shield_workers(loop.dataloader, self.note.signals)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if not self.agreed:
            self.agreed = self._agree(runner)
        if self.agreed and runner.optim_wrapper.should_update():
            saver = find_saver(runner)
            where = saver and saver.save_within_epoch(runner, batch_idx + 1)
            barrier()  # launchers kill the others as soon as one exits
            self._leave(runner, self.agreed, runner.iter + 1, where)

    def _agree(self, runner) -> int:
        """The signal that some process got; 0 if none did, or it is too early."""
        if runner.world_size == 1:
            return self.note.received
        if (runner.iter + 1) % self.interval:
            return 0
        number = torch.tensor(self.note.received)
        all_reduce(number, 'max')
        return int(number)

    def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        # Processes have unequally many of these iterations, so that they cannot agree;
        # the launcher ends the others, which lose nothing either.
        if self.note.received:
            saver = find_saver(runner)
            if saver and saver.saved_iter == runner.iter:
                self._leave(runner, self.note.received, runner.iter, saver.last_ckpt)

    def _leave(self, runner, number: int, done: int, checkpoint: str | None):
        name = signal.Signals(number).name
        start = checkpoint or 'the last checkpoint, if there is one'
        runner.logger.warning(
            f'{name}: stopped after {done} iterations; the same command with '
            f'--resume goes on from {start}. Exit status {PREEMPTED_STATUS}.'
        )
        runner.visualizer.close()
        raise SystemExit(PREEMPTED_STATUS)

    def after_run(self, runner):
        self.note.restore()


def find_saver(runner) -> ResumableCheckpointHook | None:
    """The hook that can save within an epoch, if the Runner has it."""
    savers = (h for h in runner.hooks if isinstance(h, ResumableCheckpointHook))
    return next(savers, None)


def shield_workers(loader: DataLoader, signals: list[int]) -> None:
    """Let workers that ``loader`` starts later end by their parent's wish alone.

    PyTorch's end by any SIGTERM, and with them the training.
    """
    loader.worker_init_fn = functools.partial(
        heed_parent_alone, signals, loader.worker_init_fn
    )


def heed_parent_alone(signals: list[int], initialize, worker: int) -> None:
    """In a worker: hold back some signals, but for the parent's SIGTERM.

    Args:
        signals (list[int]): What to hold back, beside SIGTERM.
        initialize (Callable, optional): The loader's own ``worker_init_fn``.
        worker (int): The worker's number.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, *signals})
    threading.Thread(target=await_parent, daemon=True).start()
    if initialize:
        initialize(worker)


def await_parent() -> None:
    """End this process when its parent sends SIGTERM."""
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != os.getppid():
        pass
    os._exit(0)
