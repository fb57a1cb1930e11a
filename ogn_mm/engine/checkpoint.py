"""Reading checkpoints safely and writing them in one piece.

``torch.load`` restricts a pickle to an allow-list (``weights_only``), which lacks
what MMEngine's checkpoints hold beside tensors: ``HistoryBuffer`` (the logged
scalars), plain numpy arrays and scalars (dataset metainfo, best scores) and, with
``OneCycleLR``, the function that anneals its learning rate.
Importing this module adds exactly these, so that MMEngine's, MMPose's and
MMDetection's own checkpoints load, resume and test with the protection on.

A numpy pickle is a risk of its own: a crafted dtype reads foreign memory, and
``builtins.getattr`` reaches every module. Stand-ins take their places: they know the
plain number types, HistoryBuffer's own statistics and OneCycleLR's two functions, and
refuse all else.
"""

import functools
import os
import pickle
import re
from urllib.error import URLError

import numpy as np
import torch
from mmengine.fileio import LocalBackend, register_backend
from mmengine.logging import HistoryBuffer
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler
from mmengine.runner import CheckpointLoader
from mmengine.runner import checkpoint as mmengine_checkpoint

from .atomic_write import write_atomically


def one_cycle_scheduler(*args, **kwargs):
    """Stand-in for ``OneCycleParamScheduler``, which files only name."""
    raise pickle.UnpicklingError('it asks for a call of OneCycleParamScheduler')


# What a file may ask ``getattr`` for: by owner, the class that has it and its names.
READABLE = {
    HistoryBuffer: (HistoryBuffer, ('min', 'max', 'current', 'mean')),
    one_cycle_scheduler: (
        OneCycleParamScheduler,
        ('_annealing_cos', '_annealing_linear'),
    ),
}

# numpy's own, never copies: `__setstate__`, the last step of unpickling a dtype,
# leaves them as they are, while it would give a copy any layout that a file asks for.
# Byte order is lost with it: little-endian is all that these files hold.
CODES = ('b1', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'f2', 'f4', 'f8')
PLAIN_DTYPES = {code: np.dtype(code) for code in CODES}


def read_attribute(owner, name):
    """Stand-in for ``getattr``: one of the functions in ``READABLE``."""
    kind, names = READABLE.get(owner, (None, ())) if callable(owner) else (None, ())
    if not isinstance(name, str) or name not in names:
        raise pickle.UnpicklingError(f'it asks for getattr({owner!r}, {name!r})')
    return getattr(kind, name)


def read_dtype(code, align=False, copy=False):
    """Stand-in for ``numpy.dtype``: a plain number type."""
    if not isinstance(code, str) or code not in PLAIN_DTYPES:
        raise pickle.UnpicklingError(f'it holds numpy data of type {code!r}')
    return PLAIN_DTYPES[code]


def read_array(subtype, shape, code):
    """Stand-in for numpy's ``_reconstruct``: an empty array, filled thereafter."""
    return np.empty(0, np.int8)


def read_scalar(dtype, raw):
    """Stand-in for ``numpy.core.multiarray.scalar``: a plain number."""
    if not isinstance(dtype, np.dtype) or not isinstance(raw, bytes):
        raise pickle.UnpicklingError(f'it holds a numpy scalar of type {dtype!r}')
    return np.frombuffer(raw, dtype).reshape(())[()]


def allow_mmengine_checkpoints():
    """Add what MMEngine's checkpoints hold to torch's allow-list.

    numpy 1 and 2 name their functions differently (``core``, ``_core``); a file
    written under one loads under the other.
    """
    allowed = [
        HistoryBuffer,
        (bytes, 'builtins.bytes'),  # an empty array's data
        (read_attribute, 'builtins.getattr'),
        (
            one_cycle_scheduler,
            f'{OneCycleParamScheduler.__module__}.OneCycleParamScheduler',
        ),
        (read_dtype, 'numpy.dtype'),
        (read_array, 'numpy.ndarray'),  # only ever named, as read_array's argument
    ]
    for core in ('numpy.core', 'numpy._core'):
        allowed.append((read_array, f'{core}.multiarray._reconstruct'))
        allowed.append((read_scalar, f'{core}.multiarray.scalar'))
    # Filling in arrays asks for their types to be allowed. A name without a dot
    # cannot occur in a pickle, so that no file can call these types itself.
    filled = {np.ndarray, *map(type, PLAIN_DTYPES.values())}
    allowed += [(kind, kind.__name__) for kind in filled]
    torch.serialization.add_safe_globals(allowed)


def find_reason(error: Exception) -> str:
    """Why ``torch.load`` failed, without its advice to load the file unprotected."""
    text = str(error).rpartition('WeightsUnpickler error:')[2].strip()
    unknown = re.search(r'GLOBAL (\S+)', text)
    if unknown:
        return f'it asks for `{unknown[1]}`, which may run any code'
    text = text.partition('\n')[0].partition('. ')[0]
    if isinstance(error, pickle.UnpicklingError):
        return text.rstrip('.')
    return f'it is damaged or no checkpoint ({type(error).__name__}: {text})'


def explain_refusal(loader):
    """Wrap a checkpoint loader: what it refuses is told in one sentence.

    Raises:
        OSError: It cannot be downloaded. The sentence names the address.
        pickle.UnpicklingError: The file is damaged, or its pickle asks for more
            than MMEngine's checkpoints hold. The sentence names the file.
    """

    @functools.wraps(loader)
    def load(filename, *args, **kwargs):
        try:
            return loader(filename, *args, **kwargs)
        except URLError as error:
            raise OSError(
                f'The checkpoint {filename} was not downloaded: {error.reason}.'
            ) from error
        except (OSError, ImportError):
            raise  # a missing file or package
        except Exception as error:  # a crafted or damaged pickle may raise anything
            reason = find_reason(error)
        raise pickle.UnpicklingError(
            f'The checkpoint {filename} was not loaded: {reason}.'
        )

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
    if not isinstance(weights, dict) or not all(
        isinstance(weight, torch.Tensor) for weight in weights.values()
    ):
        raise ValueError(
            f'the checkpoint {checkpoint} holds no weights: neither it nor its '
            '`state_dict` is a dictionary of tensors'
        )
    return {name.removeprefix('module.'): value for name, value in weights.items()}


def require_weights(model: torch.nn.Module, weights: dict, checkpoint: str) -> None:
    """Load weights into a model, and refuse them if some are missing or do not fit.

    MMEngine only warns, and what is missing stays random. Weights that the model does
    not have, as those of a mask head, are passed over.

    Args:
        model (nn.Module): The model.
        weights (dict): As :func:`find_weights` gives them.
        checkpoint (str): The file's name, for the message.

    Raises:
        ValueError: The weights do not fit.
    """
    try:
        missing = model.load_state_dict(weights, strict=False).missing_keys
    except RuntimeError as error:
        problem = str(error).splitlines()[1].strip()
        raise ValueError(
            f'the checkpoint {checkpoint} does not fit: {problem}'
        ) from error
    missing = [name for name in missing if not name.endswith('num_batches_tracked')]
    if missing:
        raise ValueError(
            f'the checkpoint {checkpoint} does not fit: {len(missing)} weights are '
            f'missing, among them `{missing[0]}`'
        )


def load_weights(model: torch.nn.Module, checkpoint: str) -> None:
    """Load a checkpoint for testing; see :func:`require_weights`.

    Args:
        model (nn.Module): The model.
        checkpoint (str): A file, or an address that MMEngine loads from.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It holds no weights, or they do not fit.
    """
    require_checkpoint(checkpoint)
    content = CheckpointLoader.load_checkpoint(checkpoint, 'cpu')
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
