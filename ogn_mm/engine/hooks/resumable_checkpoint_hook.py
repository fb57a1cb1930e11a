import os.path as osp

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.runner import EpochBasedTrainLoop
from mmpose.registry import HOOKS

from ogn_mm.engine.atomic_write import write_atomically


@HOOKS.register_module()
class ResumableCheckpointHook(CheckpointHook):
    """MMEngine's ``CheckpointHook``, safe against a kill at any moment.

    - Files appear only when complete, and the outdated checkpoint is deleted only
      after ``last_checkpoint`` names the new one.
    - An epoch whose validation was cut off is validated on resuming, so that no
      best checkpoint and no final result is lost.

    Args:
        backend_args (dict, optional): MMEngine's file backend. Defaults to local
            files written in one piece; has to be given if ``out_dir`` is remote.
        Others: see :class:`mmengine.hooks.CheckpointHook`.
    """

    def __init__(self, *args, backend_args=None, **kwargs):
        backend_args = backend_args or dict(backend='atomic_local')
        super().__init__(*args, backend_args=backend_args, **kwargs)

    def before_train(self, runner):
        super().before_train(runner)
        loop = runner.train_loop
        if (
            isinstance(loop, EpochBasedTrainLoop)
            and runner.val_loop is not None
            and loop.epoch >= max(loop.val_begin, 1)
            and (loop.epoch % loop.val_interval == 0 or loop.epoch == loop.max_epochs)
            and runner.message_hub.get_info('epoch_validated') != loop.epoch
        ):
            runner.logger.info(f'Validating epoch {loop.epoch}, which was cut off.')
            runner.val_loop.run()

    def after_val_epoch(self, runner, metrics):
        runner.message_hub.update_info('epoch_validated', runner.epoch)
        super().after_val_epoch(runner, metrics)

    def _save_checkpoint_with_step(self, runner, step, meta):
        """Write, point ``last_checkpoint`` to it, delete: in this order."""
        outdated = None
        if self.max_keep_ckpts > 0 and step not in self.keep_ckpt_ids:
            if len(self.keep_ckpt_ids) == self.max_keep_ckpts:
                outdated = self.keep_ckpt_ids.popleft()
            self.keep_ckpt_ids.append(step)
            runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))

        filename = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, filename)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
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
        if not is_main_process():
            return
        note = osp.join(runner.work_dir, 'last_checkpoint')
        write_atomically(note, self.last_ckpt, durable=True)
        if outdated is not None:
            path = self.file_backend.join_path(
                self.out_dir, self.filename_tmpl.format(outdated)
            )
            if self.file_backend.isfile(path):
                self.file_backend.remove(path)
