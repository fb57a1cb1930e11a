"""ONNX and TorchScript files of a graph that takes crops."""

import importlib.util
import io
import json
import warnings
from collections.abc import Callable, Sequence

import numpy as np
import torch
from packaging.version import Version
from torch import Tensor

from .export import KeypointGraph, example_crops

# The exporter of torch 2.6 fails on products of batches of unknown size.
ONNX_TORCH = '2.7'
ONNX_PACKAGES = ('onnx', 'onnxscript', 'onnxruntime')
OUTPUTS = ('keypoints', 'scores')


def require_onnx() -> None:
    """Check that torch and the packages for ONNX files serve.

    Raises:
        ImportError: Some are missing or too old. The sentence says what to do.
    """
    if Version(torch.__version__) < Version(ONNX_TORCH):
        raise ImportError(
            f'ONNX files need torch >={ONNX_TORCH}, and {torch.__version__} is '
            'installed, whose exporter fails; .pt files need no newer one'
        )
    missing = [name for name in ONNX_PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(
            f'ONNX files need {", ".join(missing)}: pip install -r '
            'requirements/optional.txt'
        )


def to_onnx(graph: KeypointGraph, metadata: dict) -> bytes:
    """An ONNX file whose input ``crops`` and outputs have a batch of any size.

    Its ``metadata_props`` are the metadata, each value as JSON.

    Raises:
        RuntimeError: The backbone does what ONNX cannot express.
    """
    from onnx_ir.passes.common import ClearMetadataAndDocStringPass

    try:
        program = torch.onnx.export(
            graph,
            (example_crops(graph.model, 2),),
            input_names=['crops'],
            output_names=OUTPUTS,
            dynamic_shapes=({0: torch.export.Dim('batch')},),
            dynamo=True,
            verbose=False,
        )
    except torch.onnx.OnnxExporterError as error:
        reason = str(error.__cause__).partition('\n')[0]
        raise RuntimeError(f'torch cannot export the network: {reason}') from error
    # the exporter notes for each node the lines of code that it came from
    ClearMetadataAndDocStringPass()(program.model)
    program.model.metadata_props.update(
        {name: json.dumps(value) for name, value in metadata.items()}
    )
    return program.model_proto.SerializeToString()


def to_torchscript(graph: KeypointGraph, metadata: dict) -> bytes:
    """A TorchScript file for the CPU, with the metadata as ``metadata.json``."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        # that it is deprecated, and that sizes other than the batch's are constants
        warnings.simplefilter('ignore')
        crops = example_crops(graph.model, 2)
        traced = torch.jit.freeze(torch.jit.trace(graph, (crops,), check_trace=False))
        torch.jit.save(
            traced, buffer, _extra_files={'metadata.json': json.dumps(metadata)}
        )
    return buffer.getvalue()


def load_onnx(content: bytes) -> Callable[[Tensor], Sequence[np.ndarray]]:
    """A function from crops to keypoints and scores; uses as many threads as torch."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(
        content, options, providers=['CPUExecutionProvider']
    )
    return lambda crops: session.run(OUTPUTS, dict(crops=crops.numpy()))


def load_torchscript(content: bytes) -> Callable[[Tensor], Sequence[np.ndarray]]:
    """A function from crops to keypoints and scores."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', FutureWarning)
        script = torch.jit.load(io.BytesIO(content))

    def run(crops: Tensor) -> list[np.ndarray]:
        with torch.no_grad():
            return [output.numpy() for output in script(crops)]

    return run


FORMATS = {'.onnx': (to_onnx, load_onnx), '.pt': (to_torchscript, load_torchscript)}
