"""Command lines of tools/train.py and tools/test.py, alone or by many processes."""

import sys
from pathlib import Path
from typing import NamedTuple

TOOLS = Path(__file__).resolve().parents[1]


class Launcher(NamedTuple):
    """How a run is started.

    Attributes:
        processes (int): Processes of a run, one a GPU. Defaults to 1.
        partition (str, optional): Of a Slurm cluster. Defaults to this machine.
    """

    processes: int = 1
    partition: str | None = None

    def command(self, name: str, config: Path, checkpoint: Path | None = None) -> list:
        """The call that trains, or tests a checkpoint; options may be appended.

        Args:
            name (str): The job's name in Slurm.
            config (Path): The run's config.
            checkpoint (Path, optional): Its weights. Defaults to training.
        """
        script = 'train' if checkpoint is None else 'test'
        files = [config] if checkpoint is None else [config, checkpoint]
        if self.partition is None and self.processes == 1:
            return [sys.executable, TOOLS / f'{script}.py', *files]
        if self.partition is None:
            return ['bash', TOOLS / f'dist_{script}.sh', *files, self.processes]
        job = [TOOLS / f'slurm_{script}.sh', self.partition, name, *files]
        # that script wants the work directory, which belongs to the config
        return ['bash', *job, *([] if checkpoint else [config.with_suffix('')])]

    def environment(self, job: int, gpus: list[str]) -> dict:
        """Environment variables of the job that runs in the given place.

        Args:
            job (int): Its place among the jobs that run at a time, from 0 on.
            gpus (list[str]): This machine's GPUs, which the jobs share.
        """
        if self.partition is not None:
            return dict(GPUS=str(self.processes))
        env = dict(PORT=str(29500 + job))
        if len(gpus) > 1:
            first = job * self.processes
            chosen = [gpus[i % len(gpus)] for i in range(first, first + self.processes)]
            env['CUDA_VISIBLE_DEVICES'] = ','.join(chosen)
        return env


ALONE = Launcher()
