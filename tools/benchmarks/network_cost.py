"""A pose network with a batch, and what it costs."""

import json
import os
import tempfile
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from mmengine.analysis import FlopAnalyzer, parameter_count
from mmengine.dataset import pseudo_collate
from mmpose.apis.inference import dataset_meta_from_config
from rich.progress import track
from torch.profiler import ProfilerActivity, profile
from torch.utils._pytree import tree_leaves

from ogn_mm.engine.config_check import read_config
from ogn_mm.models.utils import build_part, find_config, pack_image, pack_people
from timing import compare


class Network(NamedTuple):
    """A model in test mode, and a batch for it."""

    model: torch.nn.Module
    inputs: torch.Tensor
    samples: list

    @torch.no_grad()
    def predict(self) -> list:
        """From inputs to keypoints in the image; ends when they are on the host."""
        return self.model(self.inputs, self.samples, mode='predict')

    def compute_maps(self, inputs: torch.Tensor) -> tuple:
        """The forward pass of one input without decoding, as a flat tuple."""
        found = self.model._forward(inputs, self.samples[:1])
        return tuple(leaf for leaf in tree_leaves(found) if torch.is_tensor(leaf))


def load_network(config: str, people: int) -> Network:
    """Build a config's model, and its inputs from a random image.

    Raises:
        ValueError: It is neither a top-down pose estimator of MMPose nor a detector of
            MMDetection.
    """
    cfg = read_config(find_config(config))
    image = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    if cfg.get('data_mode') == 'topdown':
        model, pipeline = build_part('mmpose', config)
        boxes = np.tile(np.float32([[200, 100, 400, 400]]), (people, 1))
        inputs = pack_people(
            pipeline,
            image,
            'random.jpg',
            boxes,
            np.ones(people, np.float32),
            dataset_meta_from_config(model.cfg, 'test'),
        )
    elif cfg.get('default_scope') == 'mmdet':
        model, pipeline = build_part('mmdet', config)
        inputs = [pack_image(pipeline, image)]
    else:
        raise ValueError(
            'it is neither of a top-down network, with `data_mode` topdown, nor of a '
            'detector, with `default_scope` mmdet'
        )
    batch = model.data_preprocessor(pseudo_collate(inputs))
    return Network(model, batch['inputs'], batch['data_samples'])


def count_cost(network: Network) -> dict:
    """Parameters, FLOPs of one forward pass of one input, and what comes out."""
    model, inputs = network.model, network.inputs[:1]
    people = sum(len(sample.pred_instances) for sample in network.predict())
    model.forward = network.compute_maps
    # of what MMEngine's `get_model_complexity_info` finds, the part that is needed
    flops = FlopAnalyzer(model, inputs).unsupported_ops_warnings(False)
    flops = flops.uncalled_modules_warnings(False).total()
    del model.forward
    test_cfg = getattr(model, 'test_cfg', None) or {}
    return dict(
        input_size=f'{inputs.shape[2]}x{inputs.shape[3]}',
        flip_test='yes' if test_cfg.get('flip_test') else 'no',
        people=people,
        parameters=int(parameter_count(model)['']),
        flops=int(flops),
    )


def measure_memory(network: Network) -> int:
    """Bytes that PyTorch holds at most during a prediction on the CPU."""
    network.predict()  # the first call may keep constants
    os.environ.setdefault('KINETO_LOG_LEVEL', '99')  # it looks for GPUs, aloud
    options = dict(activities=[ProfilerActivity.CPU], profile_memory=True)
    with profile(**options) as profiler:
        network.predict()
    with tempfile.TemporaryDirectory() as folder:
        profiler.export_chrome_trace(f'{folder}/trace.json')
        trace = json.loads(Path(folder, 'trace.json').read_text())
    changes = [event for event in trace['traceEvents'] if event['name'] == '[memory]']
    changes.sort(key=lambda event: event['ts'])
    held = np.cumsum([event['args']['Bytes'] for event in changes])
    weights = network.model.state_dict().values()
    kept = sum(tensor.nbytes for tensor in [*weights, network.inputs])
    return int(kept + held.max(initial=0))


def time_networks(networks: dict[str, Network], rounds: int, device: str) -> dict:
    """Milliseconds of each network in each round, by name, on ``cpu`` or ``gpu``."""
    show = partial(track, description=f'{device.upper()}, rounds', transient=True)
    rivals = {name: network.predict for name, network in networks.items()}
    seconds = compare(rivals, rounds, track=show)
    return {
        name: {
            f'{device}_ms': 1e3 * float(np.median(values)),
            f'{device}_ms_rounds': (1e3 * values).tolist(),
        }
        for name, values in seconds.items()
    }


def move_to_gpu(network: Network) -> tuple[Network, dict]:
    """The network there, and the bytes that it needs there at most."""
    before = torch.cuda.memory_allocated()
    network = network._replace(model=network.model.cuda(), inputs=network.inputs.cuda())
    network.predict()  # the first call may keep constants
    torch.cuda.reset_peak_memory_stats()
    network.predict()
    peak = torch.cuda.max_memory_allocated() - before
    return network, dict(gpu_memory=peak)
