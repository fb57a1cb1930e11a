"""Signals by which a cluster asks a program to save and make room."""

import signal
import threading

# EX_TEMPFAIL of sysexits.h: nothing is wrong, try again.
PREEMPTED_STATUS = 75
# SIGTERM precedes a kill everywhere; SIGUSR1 is what Slurm's --signal is often set to.
PREEMPTION = ('SIGTERM', 'SIGUSR1')


class SignalNote:
    """Takes note of signals, which do nothing else while it listens, as in ``with``.

    Args:
        names (Sequence[str]): The signals. Defaults to ``PREEMPTION``.

    Attributes:
        received (int): The last signal that came; 0 if none did.
    """

    def __init__(self, names=PREEMPTION):
        self.signals = [signal.Signals[name] for name in names]
        self.received = 0
        self.handlers = {}

    def listen(self) -> None:
        """Begin; does nothing in other threads than the main one, as Python has it."""
        if not self.handlers and threading.current_thread() is threading.main_thread():
            self.handlers = {n: signal.signal(n, self._note) for n in self.signals}

    def _note(self, number, frame):
        self.received = number

    def restore(self) -> None:
        """Let the signals do what they did before."""
        for number, handler in self.handlers.items():
            signal.signal(number, handler)
        self.handlers = {}

    def __enter__(self):
        self.listen()
        return self

    def __exit__(self, *_):
        self.restore()
