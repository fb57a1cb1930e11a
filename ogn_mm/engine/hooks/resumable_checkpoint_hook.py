import os.path as osp

from mmengine.dist import all_gather_object, is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop, EpochBasedTrainLoop
from mmpose.registry import HOOKS

from ogn_mm.engine.atomic_write import remove_partial, write_atomically
from ogn_mm.engine.checkpoint import loaded_from, require_state
from ogn_mm.engine.resumed_schedule import adapt_to_settings
from ogn_mm.engine.unfinished_epoch import finish_epoch

WITHIN_EPOCH = 'within_epoch.pth'


@HOOKS.register_module()
class ResumableCheckpointHook(CheckpointHook):
    """MMEngine's ``CheckpointHook``, safe against a kill at any moment.

    - Files appear only when complete. The outdated checkpoint is deleted only after
      ``last_checkpoint`` names the new one, and the outdated best one only after the
      new one is written.
    - An epoch whose validation was cut off is validated on resuming, so that no
      best checkpoint and no final result is lost.
    - An epoch that :meth:`save_within_epoch` has saved is finished on resuming, from
      the next batch on; ``within_epoch.pth`` is deleted with the next checkpoint.
    - Batch size, number of processes, data, schedules and learning rate may change
      when an epoch is done; see
      :func:`~ogn_mm.engine.resumed_schedule.adapt_to_settings`.

    Args:
        backend_args (dict, optional): MMEngine's file backend. Defaults to local
            files written in one piece; has to be given if ``out_dir`` is remote.
        Others: see :class:`mmengine.hooks.CheckpointHook`.

    Raises:
        ValueError: On resuming within an epoch: its number of batches, or the number
            of processes, has changed.
    """

    def __init__(self, *args, backend_args=None, **kwargs):
        backend_args = backend_args or dict(backend='atomic_local')
        super().__init__(*args, backend_args=backend_args, **kwargs)
        self.saved_iter = None
        self.rank_buffers = None

    def after_load_checkpoint(self, runner, checkpoint):
        """Adapt the checkpoint to this process and to the settings of the config."""
        if not runner._resume or not isinstance(runner._train_loop, BaseLoop):
            return
        require_state(checkpoint, loaded_from(runner))
        require_same_epoch(runner, checkpoint)
        # within an epoch each process has its own running statistics
        buffers = checkpoint.get('rank_buffers')
        if buffers and len(buffers) == runner.world_size:
            checkpoint['state_dict'].update(buffers[runner.rank])
        adapt_to_settings(runner, checkpoint)

    def before_train(self, runner):
        super().before_train(runner)
        self.last_ckpt = runner.message_hub.get_info('last_ckpt')
        if is_main_process():
            remove_partial(runner.work_dir)
            remove_partial(self.out_dir)
        loop = runner.train_loop
        if not isinstance(loop, EpochBasedTrainLoop):
            return
        self._finish_epoch(runner, loop)
        loop._decide_current_val_interval()
        if (
            runner.val_loop is not None
            and loop.epoch >= max(loop.val_begin, 1)
            and (loop.epoch % loop.val_interval == 0 or loop.epoch == loop.max_epochs)
            and runner.message_hub.get_info('epoch_validated') != loop.epoch
        ):
            runner.logger.info(f'Validating epoch {loop.epoch}, which was cut off.')
            self.saved_iter = runner.iter  # it is what was resumed from
            runner.val_loop.run()

    def _finish_epoch(self, runner, loop):
        """Finish the epoch that :meth:`save_within_epoch` has saved, if it has."""
        place = runner.message_hub.pop_info('within_epoch')
        if place is None:
            return
        done = place[0]
        runner.logger.info(f'Epoch {loop.epoch + 1} goes on after {done} batches.')
        finish_epoch(loop, done)

    def save_within_epoch(self, runner, batches: int) -> str | None:
        """Save a running epoch; to be called by all processes, after an iteration.

        Args:
            runner (Runner): The runner of the training.
            batches (int): The epoch's batches that are done.

        Returns:
            str | None: The checkpoint; None if it could not be written, as on a full
            disk. ``last_checkpoint`` then names the one before.
        """
        loop = runner.train_loop
        if isinstance(loop, EpochBasedTrainLoop):
            place = [batches, len(loop.dataloader), runner.world_size]
            runner.message_hub.update_info('within_epoch', place)
        self.rank_buffers = gather_buffers(runner)
        meta = dict(epoch=runner.epoch, iter=runner.iter + 1)
        try:
            return self._write(runner, WITHIN_EPOCH, meta)
        except OSError as error:
            runner.logger.error(f'The epoch was not saved: {error}')
            return None

    def before_save_checkpoint(self, runner, checkpoint):
        if self.rank_buffers is not None:
            checkpoint['rank_buffers'] = self.rank_buffers

    def after_val_epoch(self, runner, metrics):
        runner.message_hub.update_info('epoch_validated', runner.epoch)
        super().after_val_epoch(runner, metrics)

    def _save_best_checkpoint(self, runner, metrics):
        """Write, then delete: upstream deletes the outdated one first."""
        if not self.save_best:
            return
        single = len(self.key_indicators) == 1
        paths = vars(self) if single else self.best_ckpt_path_dict
        names = ['best_ckpt_path'] if single else self.key_indicators
        outdated = {name: paths[name] for name in names}
        paths.update(dict.fromkeys(names))  # nothing that upstream could delete
        super()._save_best_checkpoint(runner, metrics)
        for name, path in outdated.items():
            if paths[name] is None:
                paths[name] = path
            elif path not in (None, paths[name]):
                self._remove(path)

    def _save_checkpoint_with_step(self, runner, step, meta):
        """Write, point ``last_checkpoint`` to it, delete: in this order."""
        outdated = [WITHIN_EPOCH]
        if self.max_keep_ckpts > 0 and step not in self.keep_ckpt_ids:
            ids = [*self.keep_ckpt_ids, step]
            # all of them: a kill before the deletion leaves that to the resumed run
            runner.message_hub.update_info('keep_ckpt_ids', ids)
            split = max(0, len(ids) - self.max_keep_ckpts)
            outdated += map(self.filename_tmpl.format, ids[:split])
            self.keep_ckpt_ids.append(step)  # of bounded length

        filename = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, filename)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        self._write(runner, filename, meta)
        for name in outdated:
            self._remove(self.file_backend.join_path(self.out_dir, name))

    def _remove(self, path: str) -> None:
        if is_main_process() and self.file_backend.isfile(path):
            self.file_backend.remove(path)

    def _write(self, runner, filename: str, meta: dict) -> str:
        """Write a checkpoint, and only then let ``last_checkpoint`` name it."""
        runner.save_checkpoint(
            self.out_dir,
            filename,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        self.saved_iter = meta['iter']
        path = self.file_backend.join_path(self.out_dir, filename)
        if is_main_process():
            note = osp.join(runner.work_dir, 'last_checkpoint')
            write_atomically(note, path, durable=True)
        return path


def require_same_epoch(runner, checkpoint: dict) -> None:
    """Check that an epoch that was saved within can go on.

    Raises:
        ValueError: Its number of batches, or the number of processes, has changed.
    """
    place = checkpoint['message_hub'].get('runtime_info', {}).get('within_epoch')
    now = [len(runner.train_dataloader), runner.world_size]
    if place and place[1:] != now:
        raise ValueError(
            f'the checkpoint {WITHIN_EPOCH} is of an epoch of {place[1]} batches '
            f'in {place[2]} processes, which are now {now[0]} in {now[1]}: keep them, '
            'or resume from an earlier one'
        )


def gather_buffers(runner) -> list[dict] | None:
    """By process, the model's buffers, such as BatchNorm's running statistics.

    They differ until an epoch's end, where SyncBuffersHook averages them.

    Returns:
        list[dict] | None: Tensors by their names in the state dict; None with one
        process, whose state dict is enough.
    """
    if runner.world_size == 1:
        return None
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    names = {name for name, _ in model.named_buffers()}
    state = model.state_dict().items()
    return all_gather_object({k: v.cpu() for k, v in state if k in names})
