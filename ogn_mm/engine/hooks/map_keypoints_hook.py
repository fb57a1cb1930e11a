import re

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop
from mmpose.registry import HOOKS
from torch import Tensor, nn

from ..skeletons import checkpoint_keypoints, keypoint_names

# Joints that another skeleton may lack, and the nearest one that most skeletons have.
NEAREST = dict(
    head_bottom='nose',
    head_top='nose',
    neck='nose',
    top_head='nose',
    left_eye='nose',
    right_eye='nose',
    left_ear='nose',
    right_ear='nose',
)

# The last layers of keypoint heads, whose output channels belong to keypoints.
KEYPOINT_LAYERS = re.compile(
    r'head\.(final|offset)_layer|roi_head\.keypoint_head\.(offset_)?deconv'
)


def match_keypoints(names: list[str], sources: list[str]) -> list[int | None]:
    """For each keypoint the one of another skeleton to begin from.

    Args:
        names (list[str]): The K keypoints wanted.
        sources (list[str]): The keypoints that there are.

    Returns:
        list[int | None]: Indices into ``sources`` of the keypoint of the same name,
        else of the nearest one, else None, (K,).
    """
    index = {name: i for i, name in enumerate(sources)}
    return [index.get(name, index.get(NEAREST.get(name))) for name in names]


def map_channels(
    weight: Tensor, initial: Tensor, matches: list[int | None], num_sources: int, dim=0
) -> Tensor:
    """Reorder a layer's output channels from one skeleton to another.

    Args:
        weight (Tensor): Weights or biases, with one or more neighbouring channels a
            keypoint of the source: ``num_sources`` times n along ``dim``.
        initial (Tensor): What keypoints without match get, K times n along ``dim``.
        matches (list[int | None]): See :func:`match_keypoints`, (K,).
        num_sources (int): Keypoints of the source.
        dim (int): The dimension of output channels. Defaults to 0.

    Returns:
        Tensor: Of the shape of ``initial``, on the device of ``weight``.
    """
    old = weight.unflatten(dim, (num_sources, -1)).unbind(dim)
    new = initial.detach().to(weight).unflatten(dim, (len(matches), -1)).clone()
    for own, match in zip(new.unbind(dim), matches, strict=True):
        if match is not None:
            own.copy_(old[match])
    return new.flatten(dim, dim + 1)


@HOOKS.register_module()
class MapKeypointsHook(Hook):
    """Begin training on one skeleton from weights of another.

    COCO and PoseTrack both have 17 keypoints, but others: a checkpoint's last layer
    would load without complaint, and find eyes where a head's top is wanted. When
    training loads a checkpoint whose data set, by its ``dataset_meta``, names its
    keypoints otherwise, this hook puts each channel where its keypoint is, in heads of
    one stage and two. A joint that the checkpoint lacks begins as its nearest one,
    which is the nose for PoseTrack's ``head_bottom`` and ``head_top`` (``NEAREST``);
    without one the channel keeps its initial weights. What was done is logged.

    Nothing changes for testing and for checkpoints that do not name keypoints.
    """

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Map the weights in ``checkpoint['state_dict']``."""
        # what else it may be is the config of a loop that does not run
        if not isinstance(runner._train_loop, BaseLoop):
            return
        sources = checkpoint_keypoints(checkpoint)
        names = keypoint_names(
            getattr(runner.train_dataloader.dataset, 'metainfo', None)
        )
        if not sources or not names or sources == names:
            return
        matches = match_keypoints(names, sources)
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        weights = checkpoint['state_dict']
        for name, layer in model.named_modules():
            if not KEYPOINT_LAYERS.fullmatch(name):
                continue
            for key, initial in layer.named_parameters(prefix=name):
                # a layer of another width is left to the loader, which tells of it
                size = len(sources) * initial.numel() // len(names)
                if key in weights and weights[key].numel() == size:
                    transposed = isinstance(layer, nn.ConvTranspose2d)
                    dim = 1 if transposed and initial.dim() > 1 else 0
                    weights[key] = map_channels(
                        weights[key], initial, matches, len(sources), dim
                    )
        begun = [
            f'{name} from {"scratch" if match is None else sources[match]}'
            for name, match in zip(names, matches, strict=True)
            if match is None or sources[match] != name
        ]
        print_log(
            'The checkpoint has other keypoints; those of the same name were taken, '
            f'and begun: {", ".join(begun) or "none"}',
            logger='current',
        )
