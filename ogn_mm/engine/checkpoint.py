"""Reading checkpoints safely and writing them in one piece.

Importing this module lets ``torch.load`` read MMEngine's, MMPose's and MMDetection's
own checkpoints, resume and test with its protection on; see `safe_globals`.
"""

import functools
import logging
import os
import pickle
import re
from urllib.error import URLError

import torch
from mmengine.fileio import LocalBackend, register_backend
from mmengine.logging import print_log
from mmengine.runner import CheckpointLoader, find_latest_checkpoint
from mmengine.runner import checkpoint as mmengine_checkpoint

from .atomic_write import write_atomically
from .json_files import explains, printable
from .safe_globals import allow_mmengine_checkpoints
from .skeletons import require_skeleton

HOLDS_NO_WEIGHTS = (
    'the checkpoint {} holds no weights: neither it nor its `state_dict` is a '
    'dictionary of tensors'
)


def find_reason(error: Exception) -> str:
    """Why ``torch.load`` failed, without its advice to load the file unprotected."""
    text = str(error).rpartition('WeightsUnpickler error:')[2].strip()
    text = '\n'.join(map(printable, text.split('\n')))
    unknown = re.search(r'GLOBAL (\S+)', text)
    if unknown:
        return f'it asks for `{unknown[1]}`, which may run any code'
    text = text.partition('\n')[0].partition('. ')[0]
    if isinstance(error, pickle.UnpicklingError):
        return text.rstrip('.')
    return 'it is damaged or no checkpoint' + f' ({text})' * explains(text)


def clean_meta(content):
    """What a checkpoint file holds, without what in its ``meta`` is not to be used.

    That is ``meta.config``, a program that MMEngine would run when training is resumed,
    to compare the numbers of GPUs, and what should be a dictionary and is not.
    """
    if not isinstance(content, dict):
        return content
    meta = content.get('meta')
    if isinstance(meta, dict):
        meta.pop('config', None)
        if not isinstance(meta.get('dataset_meta', {}), dict):
            del meta['dataset_meta']
    elif 'state_dict' in content:  # else it may be a weight
        content.pop('meta', None)
    return content


def explain_refusal(loader):
    """Wrap a checkpoint loader: what it refuses is told in one sentence.

    Raises:
        OSError: It cannot be downloaded. The sentence names the address.
        pickle.UnpicklingError: The file is damaged, or its pickle asks for more
            than MMEngine's checkpoints hold. The sentence names the file.
        ValueError: It holds something else than a dictionary.
    """

    @functools.wraps(loader)
    def load(filename, *args, **kwargs):
        try:
            content = clean_meta(loader(filename, *args, **kwargs))
        except URLError as error:
            raise OSError(
                f'The checkpoint {filename} was not downloaded: {error.reason}.'
            ) from error
        except ImportError:
            raise  # a missing package
        except Exception as error:  # a crafted or damaged pickle may raise anything
            if isinstance(error, OSError) and (
                error.filename or not os.path.isfile(filename)
            ):
                raise  # a missing file
            reason = find_reason(error)
            raise pickle.UnpicklingError(
                f'The checkpoint {filename} was not loaded: {reason}.'
            ) from None
        if not isinstance(content, dict):
            raise ValueError(HOLDS_NO_WEIGHTS.format(filename))
        return content

    return load


@register_backend('atomic_local')
class AtomicLocalBackend(LocalBackend):
    """Local files that appear under their name only once they are complete."""

    def put(self, obj: bytes, filepath):
        """Write ``obj`` to ``filepath``, whose folder is made if need be."""
        write_atomically(filepath, obj, durable=True)


def is_local(checkpoint: str) -> bool:
    """Whether MMEngine reads a checkpoint from a file, not from an address."""
    loader = CheckpointLoader._get_checkpoint_loader(checkpoint)
    return loader is CheckpointLoader._schemes['']


def require_checkpoint(checkpoint: str) -> None:
    """Check that a checkpoint exists if it is a local file.

    Args:
        checkpoint (str): A path, or an address that MMEngine loads from, such as
            https://, torchvision://, openmmlab:// or s3://.

    Raises:
        FileNotFoundError: There is no such file.
    """
    if is_local(checkpoint) and not os.path.isfile(os.path.expanduser(checkpoint)):
        raise FileNotFoundError(f'{checkpoint}: there is no such checkpoint')


def find_weights(content, checkpoint: str) -> dict:
    """The weights in what a checkpoint file holds, by name.

    Args:
        content: As loaded.
        checkpoint (str): The file's name, for the message.

    Raises:
        ValueError: It holds none.
    """
    weights = content.get('state_dict', content) if isinstance(content, dict) else None
    if not isinstance(weights, dict) or not all(map(is_weight, weights.items())):
        raise ValueError(HOLDS_NO_WEIGHTS.format(checkpoint))
    return {name.removeprefix('module.'): value for name, value in weights.items()}


def is_weight(item) -> bool:
    """Whether a name and a value can be a weight's."""
    name, value = item
    return (
        isinstance(name, str)
        and isinstance(value, torch.Tensor)
        and value.layout == torch.strided
        and not (value.is_meta or value.is_quantized or value.is_complex())
    )


def require_weights(
    model: torch.nn.Module, weights: dict, checkpoint: str, partial: bool = False
) -> None:
    """Load weights into a model, and refuse them if some are missing or do not fit.

    MMEngine only warns, and what is missing stays random. Weights that the model does
    not have, as those of a mask head, are passed over; of a ``head`` this is logged.

    Args:
        model (nn.Module): The model.
        weights (dict): As :func:`find_weights` gives them.
        checkpoint (str): The file's name, for the message.
        partial (bool): Whether it is enough that some fit, to begin a training with.
            Defaults to False.

    Raises:
        ValueError: The weights do not fit, or are not finite.
    """
    place = f'the checkpoint {checkpoint}'
    own = model.state_dict()
    for name in own.keys() & weights.keys():
        if weights[name].is_floating_point() != own[name].is_floating_point():
            raise ValueError(
                f'{place} does not fit: `{name}` holds {weights[name].dtype}'
            )
    try:
        missing = model.load_state_dict(weights, strict=False).missing_keys
    except RuntimeError as error:
        if not partial:
            problem = str(error).splitlines()[-1].strip()
            raise ValueError(f'{place} does not fit: {problem}') from error
        # those of the right size were loaded
        sizes = {name: weight.shape for name, weight in weights.items()}
        missing = [name for name in own if sizes.get(name) != own[name].shape]
    counters = {name for name in own if name.endswith('num_batches_tracked')}
    missing = [name for name in missing if name not in counters]
    if missing and (not partial or len(missing) == len(own.keys() - counters)):
        raise ValueError(
            f'{place} does not fit: {len(missing)} weights are missing, among them '
            f'`{missing[0]}`'
        )
    left = [name for name in weights if name.startswith('head.') and name not in own]
    if left:
        print_log(
            f'{place} has {len(left)} weights of a head that the model does not have, '
            f'among them `{left[0]}`: is the config of another head?',
            logger='current',
            level=logging.WARNING,
        )
    broken = [name for name, value in model.state_dict().items() if is_broken(value)]
    if broken:
        raise ValueError(
            f'{place} holds weights that are not finite, among them `{broken[0]}`'
        )


def is_broken(weight: torch.Tensor) -> bool:
    """Whether a weight is not finite, beside the infinity that masks are made of."""
    return weight.is_floating_point() and bool(
        (weight.isnan() | (weight == torch.inf)).any()
    )


def loaded_from(runner) -> str:
    """The checkpoint that a Runner loads."""
    return runner._load_from or find_latest_checkpoint(runner.work_dir)


def require_state(content: dict, checkpoint: str) -> None:
    """Check that training can go on from what a checkpoint file holds.

    Args:
        content (dict): As loaded.
        checkpoint (str): The file's name, for the message.

    Raises:
        ValueError: It lacks what is needed, as a published checkpoint does.
    """
    meta = content.get('meta')
    meta = meta if isinstance(meta, dict) else {}
    counts = [meta.get(name) for name in ('epoch', 'iter')]
    sound = dict(
        meta=all(type(count) is int and count >= 0 for count in counts),
        message_hub=isinstance(content.get('message_hub'), dict),
        optimizer=isinstance(content.get('optimizer'), dict),
    )
    for name, holds in sound.items():
        if not holds:
            raise ValueError(
                f'the checkpoint {checkpoint} cannot be resumed: its `{name}` is '
                'missing or damaged'
            )


def load_weights(model: torch.nn.Module, checkpoint: str) -> None:
    """Load a checkpoint for testing; see :func:`require_weights`.

    Args:
        model (nn.Module): The model.
        checkpoint (str): A file, or an address that MMEngine loads from.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It holds no weights, or they do not fit, or were trained on other
            keypoints than those that the model names by a ``dataset_meta``.
    """
    require_checkpoint(checkpoint)
    content = CheckpointLoader.load_checkpoint(checkpoint, 'cpu')
    require_skeleton(content, getattr(model, 'dataset_meta', None), checkpoint)
    require_weights(model, find_weights(content, checkpoint), checkpoint)


@CheckpointLoader.register_scheme('', force=True)
def load_from_local(filename, map_location=None):
    """MMEngine's loader of files, protected in every environment."""
    filename = os.path.expanduser(filename)
    return torch.load(filename, map_location=map_location, weights_only=True)


allow_mmengine_checkpoints()
# MMEngine's download (http://, torchvision://, open-mmlab://) asks torch.hub to
# unpickle without protection.
mmengine_checkpoint.load_url = functools.partial(
    mmengine_checkpoint.load_url, weights_only=True
)
for _prefix, _loader in list(CheckpointLoader._schemes.items()):
    CheckpointLoader.register_scheme(_prefix, explain_refusal(_loader), force=True)
