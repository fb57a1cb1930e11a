"""Showing how far a study is."""

import datetime
import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from .record import read_result
from .run import Run


class Display:
    """Bars on a terminal; else a line for every finished run and every minute.

    Args:
        count (int): Number of runs.
        pending (int): Number of those that are not finished yet.
    """

    def __init__(self, count: int, pending: int):
        self.count, self.pending = count, pending
        self.started = self.printed = time.monotonic()
        console = Console(soft_wrap=True, highlight=False, markup=False)
        self.progress = Progress(
            TextColumn('{task.description}', markup=False),
            BarColumn(bar_width=16),
            TextColumn('{task.fields[note]}', markup=False),
            console=console,
            disable=not console.is_terminal,
        )
        self.bars = {None: self.progress.add_task('', total=count, note='')}

    def update(self, running: list[Run], waiting: int) -> None:
        """Show the state of the running ones, and of all."""
        states = {run: run.progress() for run in running}
        left = waiting + sum(1 - share for share, _ in states.values())
        done = self.count - waiting - len(running)
        summary = f'{done}/{self.count} done, {self.clock(left)}'
        for run in self.bars.keys() - states.keys() - {None}:
            self.progress.remove_task(self.bars.pop(run))
        for run, (share, note) in states.items():
            if run not in self.bars:
                self.bars[run] = self.progress.add_task(str(run), total=1, note='')
            self.progress.update(self.bars[run], completed=share, note=note)
        self.progress.update(
            self.bars[None], completed=self.count - left, description=summary
        )
        if self.progress.disable and time.monotonic() - self.printed > 60:
            self.printed = time.monotonic()
            notes = [f'{run}: {note}' for run, (_, note) in states.items()]
            print('; '.join([summary, *notes]), flush=True)

    def clock(self, left: float) -> str:
        """Time since the start, and an estimate of the time left."""
        elapsed = time.monotonic() - self.started
        text = f'{datetime.timedelta(seconds=int(elapsed))} elapsed'
        done = self.pending - left
        if done < 0.01:
            return text
        left = datetime.timedelta(seconds=int(elapsed * left / done))
        return f'{text}, about {left} left'

    def announce(self, run: Run) -> None:
        """Print how a run ended."""
        if run.error:
            text = f'failed: {run}: {run.error}'
        else:
            metrics = read_result(run.result)['metrics']
            text = f'finished: {run}: AP {100 * metrics["coco/AP"]:.1f}'
        self.progress.console.print(text)
