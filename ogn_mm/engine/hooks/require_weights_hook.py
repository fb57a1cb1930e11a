from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop
from mmpose.registry import HOOKS

from ..checkpoint import find_weights, loaded_from, require_state, require_weights
from ..skeletons import require_skeleton


@HOOKS.register_module()
class RequireWeightsHook(Hook):
    """Refuse a checkpoint that does not fit the model; MMEngine only warns.

    A test and a training that is resumed need all weights of the model. For a training
    that begins it is enough that some fit. Weights that the model does not have, as
    those of a mask head, are passed over. None may be NaN. For a test they must have
    been trained on the keypoints that the model names by a ``dataset_meta``, else the
    test's data set.

    Raises:
        ValueError: The checkpoint does not fit, or training cannot be resumed from it.
    """

    priority = 'LOWEST'  # others may adapt the checkpoint

    def after_load_checkpoint(self, runner, checkpoint) -> None:
        name = loaded_from(runner)
        weights = find_weights(checkpoint, name)
        training = isinstance(runner._train_loop, BaseLoop)
        if training and runner._resume:
            require_state(checkpoint, name)
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        if not training:
            require_skeleton(checkpoint, self._find_metainfo(runner, model), name)
        partial = training and not runner._resume
        require_weights(model, weights, name, partial)

    def _find_metainfo(self, runner, model) -> dict | None:
        """What names the keypoints of a test."""
        if hasattr(model, 'dataset_meta'):
            return model.dataset_meta
        if isinstance(runner._test_loop, BaseLoop):
            return getattr(runner.test_dataloader.dataset, 'metainfo', None)
        return None
