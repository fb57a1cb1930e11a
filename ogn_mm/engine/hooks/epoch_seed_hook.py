import torch
from mmengine.dist import broadcast_object_list
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop
from mmpose.registry import HOOKS

from ogn_mm.datasets.transforms.seeding import TRAINING_CLOCK, seed_generators


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Make each training epoch a function of the seed and the epoch alone.

    MMEngine resumes from the last epoch's checkpoint, but with whatever state the
    random generators then have. With this hook, and with
    :class:`~ogn_mm.datasets.transforms.SeedAugmentation` first in the training
    pipeline, a resumed run repeats the uninterrupted one:

    - the sampler shuffles by the run's first seed, also if it was drawn;
    - augmentation depends on (seed, epoch, sample), whichever worker it runs in;
    - the training process (dropout and the like) depends on
      (seed, epoch, rank, iteration).

    On the CPU the weights are equal bit for bit; on a GPU as far as its kernels are
    deterministic (``randomness=dict(deterministic=True)``). The number of processes
    and the batch size have to stay the same, the number of workers need not.

    Iteration-based loops know no epochs: there only the training process is seeded,
    and augmentation goes on from the workers' own seeds.
    """

    priority = 'VERY_HIGH'

    def before_train(self, runner):
        # After resuming, where the seed is the checkpoint's, while the sampler was
        # built before. Rank 0's, since `diff_rank_seed` adds the rank to the others.
        seeds = [runner.seed]
        broadcast_object_list(seeds)
        self.seed = seeds[0]
        loader = runner.train_dataloader
        for sampler in (loader.sampler, getattr(loader.batch_sampler, 'sampler', None)):
            if hasattr(sampler, 'seed'):
                sampler.seed = self.seed

    def before_train_epoch(self, runner):
        if isinstance(runner.train_loop, EpochBasedTrainLoop):
            TRAINING_CLOCK[:] = torch.tensor([self.seed, runner.epoch])

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        torch.manual_seed(
            seed_generators(self.seed, runner.epoch, runner.rank, runner.iter)
        )

    def after_train(self, runner):
        TRAINING_CLOCK.fill_(-1)
