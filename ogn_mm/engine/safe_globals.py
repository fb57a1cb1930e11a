"""What a checkpoint's pickle may name.

``torch.load`` restricts a pickle to an allow-list (``weights_only``), which lacks
what MMEngine's checkpoints hold beside tensors: ``HistoryBuffer`` (the logged
scalars), plain numpy arrays and scalars (dataset metainfo, best scores) and, with
``OneCycleLR``, the function that anneals its learning rate.

A numpy pickle is a risk of its own: a crafted dtype reads foreign memory, and
``builtins.getattr`` reaches every module. Stand-ins take their places: they know the
plain number types, HistoryBuffer's own statistics and OneCycleLR's two functions, and
refuse all else.
"""

import pickle

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler


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


def read_bytes():
    """Stand-in for ``bytes``: an empty array's data, and no gigabytes of zeros."""
    return b''


def allow_mmengine_checkpoints():
    """Add what MMEngine's checkpoints hold to torch's allow-list.

    numpy 1 and 2 name their functions differently (``core``, ``_core``); a file
    written under one loads under the other.
    """
    allowed = [
        HistoryBuffer,
        (read_bytes, 'builtins.bytes'),
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
