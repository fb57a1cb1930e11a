"""Signals: noted and nothing more; workers are ended by their parent alone.

That a preempted training goes on as if nothing had happened: see test_resume.py.
"""

import os
import signal
import subprocess

import pytest
from torch.utils.data import DataLoader

from ogn_mm.engine.hooks.preemption_hook import shield_workers
from ogn_mm.engine.signals import SignalNote


def test_signals_are_noted_while_it_listens():
    before = [signal.getsignal(number) for number in (15, 10)]
    with SignalNote() as note:
        assert note.received == 0
        for number in (signal.SIGTERM, signal.SIGUSR1):
            os.kill(os.getpid(), number)
            assert note.received == number
        note.listen()  # a second time changes nothing
    assert [signal.getsignal(number) for number in (15, 10)] == before
    with pytest.raises(KeyError, match='SIGNONE'):
        SignalNote(['SIGNONE'])


def test_workers_are_ended_by_their_parent_alone():
    """A cluster's SIGTERM to all processes leaves the batches that are still needed."""
    initialized = []
    loader = DataLoader(range(200), num_workers=2, worker_init_fn=initialized.append)
    shield_workers(loader, [signal.SIGTERM, signal.SIGUSR1])
    batches = iter(loader)
    first = [next(batches).item() for _ in range(10)]  # both have begun
    for worker in batches._workers:
        for name in ('TERM', 'USR1', 'TERM'):
            subprocess.run(['kill', f'-{name}', str(worker.pid)], check=True)
    rest = [batch.item() for batch in batches]
    assert first + rest == list(range(200))
    batches = iter(loader)
    next(batches)
    worker = batches._workers[0]
    worker.terminate()
    worker.join(10)
    assert worker.exitcode == 0
