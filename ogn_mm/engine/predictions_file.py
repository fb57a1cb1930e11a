"""Reading the predictions that ``tools/test.py --dump`` writes, safely.

MMEngine pickles them, and a pickle may run any code when it is read. Here it may name
nothing but what plain numbers, arrays and tensors need.
"""

import codecs
import io
import pickle
from collections import OrderedDict
from pathlib import Path

import torch

from .json_files import explains, printable
from .safe_globals import read_array, read_dtype, read_scalar


def read_storage(content: bytes) -> torch.storage.TypedStorage:
    """Stand-in for torch's ``_load_from_bytes``, which reads without protection."""
    return torch.load(io.BytesIO(content), map_location='cpu', weights_only=True)


ALLOWED = {
    '__builtin__.bytes': bytes,  # an empty array's data, by its name in protocol 2
    '_codecs.encode': codecs.encode,
    'collections.OrderedDict': OrderedDict,
    'numpy.dtype': read_dtype,
    'numpy.ndarray': read_array,  # only ever named, as read_array's argument
    'torch._utils._rebuild_tensor_v2': torch._utils._rebuild_tensor_v2,
    'torch.storage._load_from_bytes': read_storage,
}
for _core in ('numpy.core', 'numpy._core'):
    ALLOWED[f'{_core}.multiarray._reconstruct'] = read_array
    ALLOWED[f'{_core}.multiarray.scalar'] = read_scalar


class PlainUnpickler(pickle._Unpickler):
    """Reads plain data, and refuses all else.

    It is Python's slower one: the one in C makes room for as many objects as a pickle
    says it has, and a file of 20 bytes may say four billion.
    """

    def find_class(self, module: str, name: str):
        """What a pickle calls by this name."""
        try:
            return ALLOWED[f'{module}.{name}']
        except KeyError:
            raise pickle.UnpicklingError(
                f'it asks for `{module}.{name}`, which may run any code'
            ) from None


def read_predictions(path: str | Path) -> list[dict]:
    """Read a file of MMEngine's ``DumpResults``.

    Args:
        path (str | Path): The file.

    Returns:
        list[dict]: The data samples as dictionaries.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It holds something else. The sentence names the file.
    """
    with open(path, 'rb') as file:
        content = io.BytesIO(file.read())  # of which nothing beyond the end is read
        try:
            samples = PlainUnpickler(content).load()
        except Exception as error:  # a crafted or damaged pickle may raise anything
            reason = ' '.join(str(error).split())
            if not explains(reason):
                reason = 'it is damaged'
            raise ValueError(
                f'{path}: no file of predictions: {printable(reason)}'
            ) from error
    if not isinstance(samples, list) or not all(
        isinstance(sample, dict) and {'img_id', 'pred_instances'} <= sample.keys()
        for sample in samples
    ):
        raise ValueError(
            f'{path}: no file of predictions: it should be a list of samples with '
            '`img_id` and `pred_instances`'
        )
    return samples
