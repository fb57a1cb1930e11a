import functools

import torch
from mmengine.dist import all_gather_object, all_reduce, get_world_size
from mmengine.hooks import Hook
from mmpose.registry import HOOKS

# A loss scale below this one means that thirty steps in a row overflowed.
LOWEST_SCALE = 2.0**-14


@HOOKS.register_module()
class CheckLossHook(Hook):
    """End training at a loss that is NaN or infinite, before anything bad is saved.

    The error names the loss, the iteration and the images of the batch, and all
    processes end with it. It costs nothing to look at the loss, which MMEngine reads in
    each iteration anyway. A single process ends at once; several compare notes every
    ``interval`` iterations and at an epoch's end, so that none waits for another that
    is gone. A gradient that is not finite though its loss is shows in the loss of the
    next batch; weights that it has spoilt are not saved either.

    In mixed precision a gradient overflows now and then: the scaler leaves out the step
    and lowers its scale. That is no error until the scale is below 2 ** -14, when no
    step helps any more.

    Args:
        max_skips (int): Batches in a row that may be skipped, rather than end training:
            they are logged and counted in ``skipped``, their gradient is not computed,
            and BatchNorm's statistics forget them. To know before the step costs a
            synchronisation an iteration. Defaults to 0.
        interval (int): Iterations between the comparisons of several processes.
            Defaults to 50.

    Raises:
        FloatingPointError: As said.
    """

    priority = 'HIGH'  # after the loss is logged, before weights are saved

    def __init__(self, max_skips: int = 0, interval: int = 50):
        self.max_skips = max_skips
        self.interval = interval
        self.skipped = self.skips_in_a_row = 0
        self.report: tuple[int, str] | None = None

    def before_train(self, runner):
        if self.max_skips:
            wrapper = runner.optim_wrapper
            update = functools.partial(self._update, runner, wrapper.update_params)
            wrapper.update_params = update

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if self.max_skips:
            self.buffers = [buffer.clone() for buffer in runner.model.buffers()]

    def _update(self, runner, update_params, loss, *args, **kwargs):
        """Skip the step in all processes if one has a loss that is not finite."""
        finite = torch.isfinite(loss.detach()).float()
        all_reduce(finite, 'min')
        if finite.item():
            self.skips_in_a_row = 0
            update_params(loss, *args, **kwargs)
            return
        self.skips_in_a_row += 1
        self.skipped += 1
        for buffer, before in zip(runner.model.buffers(), self.buffers, strict=True):
            buffer.copy_(before)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if self.report is None and not torch.isfinite(outputs['loss']):
            sentence = describe(outputs, runner.iter + 1, data_batch)
            if self.skips_in_a_row:
                sentence += f'; skipped, as {self.skipped} batches so far'
            if not self.max_skips or self.skips_in_a_row > self.max_skips:
                self.report = runner.iter, sentence
            runner.logger.error(sentence)
        alone = get_world_size() == 1
        if alone or self.every_n_train_iters(runner, self.interval):
            self.settle(runner)

    def after_train_epoch(self, runner):
        self.settle(runner)
        check_weights(runner.model.state_dict())

    def before_val_epoch(self, runner):
        self.settle(runner)

    def before_save_checkpoint(self, runner, checkpoint):
        check_weights(checkpoint['state_dict'])

    def settle(self, runner) -> None:
        """Raise in all processes what the first of them have to report."""
        reports = [report for report in all_gather_object(self.report) if report]
        if reports:
            first = min(number for number, _ in reports)
            sentences = [text for number, text in reports if number == first]
            raise FloatingPointError('; '.join(sentences))
        scaler = getattr(runner.optim_wrapper, 'loss_scaler', None)
        if scaler is not None and scaler.get_scale() < LOWEST_SCALE:
            raise FloatingPointError(
                f'iteration {runner.iter + 1}: gradients overflow at every loss scale, '
                f'down to {scaler.get_scale():.1e}; train without mixed precision'
            )


def describe(outputs: dict, iteration: int, data_batch) -> str:
    """Which losses are not finite, and of which images."""
    losses = [
        f'{name} is {value.item()}'
        for name, value in outputs.items()
        if 'loss' in name and not torch.isfinite(value).all()
    ]
    samples = data_batch.get('data_samples', []) if isinstance(data_batch, dict) else []
    images = dict.fromkeys(
        f'{sample.get("img_id")} ({sample.get("img_path")})' for sample in samples
    )
    where = f' in the batch of images {", ".join(images)}' if images else ''
    return f'iteration {iteration}: {", ".join(losses)}{where}'


def check_weights(state_dict: dict) -> None:
    """Raise FloatingPointError, naming the first weight that is not finite."""
    finite = {
        name: torch.isfinite(value).all()
        for name, value in state_dict.items()
        if torch.is_tensor(value) and value.is_floating_point()
    }
    if finite and not torch.stack(list(finite.values())).all():  # on a GPU, one wait
        name = next(name for name, value in finite.items() if not value)
        raise FloatingPointError(
            f'the weight {name} is not finite though the losses are: a gradient '
            'overflowed; the weights were not saved'
        )
