"""Damaged and malicious checkpoints: sound weights or one sentence, and no code run."""

import contextlib
import copy
import io
import os
import pickle
import struct
import sys
import zipfile
from collections import OrderedDict
from functools import cache

import numpy as np
import pytest
import torch
from damaged_json import damaged, read_or_refuse
from fuzzing import FUZZ, fuzz
from hypothesis import strategies as st
from mmengine.config import Config
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader
from torch import nn

from ogn_mm.engine.checkpoint import (
    find_weights,
    require_state,
    require_weights,
)
from ogn_mm.engine.predictions_file import read_predictions

REFUSALS = (ValueError, FileNotFoundError, pickle.UnpicklingError)
# What Python tells its auditors when a program does something to the world.
DEEDS = ('os.', 'subprocess.', 'socket.', 'shutil.', 'ctypes.')


class Watch:
    """Notes what is done while it is active; hooks of `sys` cannot be removed."""

    def __init__(self):
        self.active, self.deeds = False, []
        sys.addaudithook(self.note)

    def note(self, event, args):
        if not self.active:
            return
        if event == 'exec':  # of a file is an import, which a codec's name may cause
            done = not os.path.exists(args[0].co_filename)
        elif event == 'open':
            done = bool(set(str(args[1])) & set('wax+'))
        else:  # imports list folders
            done = event.startswith(DEEDS) and event != 'os.listdir'
        if done:
            self.deeds.append((event, args))

    @contextlib.contextmanager
    def watching(self):
        self.deeds.clear()
        self.active = True
        try:
            yield
        finally:
            self.active = False
        assert not self.deeds


WATCH = Watch()


def tiny_model(keypoints=3):
    return nn.Sequential(
        nn.Conv2d(2, 4, 1), nn.BatchNorm2d(4), nn.Conv2d(4, keypoints, 1)
    )


@cache
def sound_checkpoint() -> dict:
    """What MMEngine's Runner saves, in small."""
    model = tiny_model()
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(2, 2, 4, 4)).sum().backward()
    optimizer.step()
    return dict(
        meta=dict(epoch=1, iter=3, cfg='model = dict()', seed=0),
        state_dict=dict(model.state_dict()),
        message_hub=dict(
            log_scalars={'train/loss': HistoryBuffer([0.5, 0.25], [1, 1])},
            runtime_info=dict(best_score=np.float64(0.75)),
        ),
        optimizer=optimizer.state_dict(),
        param_schedulers=[dict(last_step=1)],
    )


@cache
def saved(zipped: bool) -> bytes:
    content = io.BytesIO()
    torch.save(sound_checkpoint(), content, _use_new_zipfile_serialization=zipped)
    return content.getvalue()


def load(path):
    with WATCH.watching():
        return CheckpointLoader.load_checkpoint(str(path), 'cpu')


def check(path):
    """A file gives a model all its weights, which are finite, or is refused."""
    content = read_or_refuse(lambda: load(path), path, REFUSALS)
    if content is None:
        return
    model = tiny_model()

    def fill():
        weights = find_weights(content, str(path))
        require_weights(model, weights, str(path))
        require_state(content, str(path))
        return weights

    weights = read_or_refuse(fill, path)
    if weights is not None:
        for name, value in model.state_dict().items():
            assert value.isfinite().all()
            if name in weights:
                assert torch.equal(value, weights[name].to(value.dtype))
        assert content['meta']['iter'] >= 0


@st.composite
def damaged_files(draw):
    """A checkpoint that is cut off or has other bytes in places."""
    data = bytearray(saved(draw(st.booleans())))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(data)))
        if draw(st.integers(0, 3)) == 0:
            del data[place : place + draw(st.sampled_from([1, 8, 10**6]))]
        else:
            junk = draw(st.binary(min_size=1, max_size=4))
            data[place : place + len(junk)] = junk
    return bytes(data)


@FUZZ
def test_damaged_files(tmp_path, examples):
    path = tmp_path / 'a.pth'
    for zipped in (True, False):  # modules are loaded before it counts
        path.write_bytes(saved(zipped))
        check(path)

    def check_file(data):
        path.write_bytes(data)
        check(path)

    fuzz(check_file, damaged_files(), examples=examples)


def odd_weights():
    """Tensors that are no weights of the model, or not any more."""
    yield from (torch.zeros(()), torch.zeros(0), torch.full((4, 2, 1, 1), torch.nan))
    yield from (torch.full((4,), torch.inf), torch.zeros(4, dtype=torch.int64))
    yield from (torch.zeros(4, dtype=torch.bool), torch.zeros(4, dtype=torch.complex64))
    yield from (torch.zeros(4, dtype=torch.float64), torch.zeros(1).expand(10**9))
    yield from (torch.zeros(4).to_sparse(), torch.zeros(4, device='meta'))
    yield from (
        torch.zeros(4, dtype=torch.bfloat16),
        torch.full((4,), 1e300, dtype=torch.float64),
    )
    yield from tiny_model(17).state_dict().values()  # other keypoints


@st.composite
def other_contents(draw):
    """A checkpoint's content with other things in it, in places."""
    content = draw(damaged([sound_checkpoint(), sound_checkpoint()['state_dict']]))
    weights = content.get('state_dict', content) if isinstance(content, dict) else None
    if isinstance(weights, dict) and weights and draw(st.booleans()):
        weights = dict(weights)
        odd = st.sampled_from(list(odd_weights()))
        weights[draw(st.sampled_from(list(weights)))] = draw(odd)
        content = dict(sound_checkpoint(), state_dict=weights)
    return content


@FUZZ
def test_other_contents(tmp_path, examples):
    path = tmp_path / 'a.pth'

    def check_content(content):
        try:
            torch.save(content, path)
        except (NotImplementedError, OverflowError, RecursionError, RuntimeError):
            return  # no file can hold it
        check(path)

    fuzz(check_content, other_contents(), examples=examples)


GLOBALS = [
    *('os system', 'posix system', 'builtins eval', 'builtins exec', 'builtins open'),
    *('builtins getattr', 'builtins setattr', 'builtins __import__', 'builtins bytes'),
    *('subprocess Popen', 'importlib import_module', 'operator attrgetter'),
    *('functools partial', 'pickle loads', 'torch load', 'torch.hub load'),
    *('torch.serialization load', 'torch.storage _load_from_bytes', 'shutil rmtree'),
    *('mmengine.config Config', 'mmengine.config Config.fromstring', 'os path.join'),
    *('mmengine.logging.history_buffer HistoryBuffer', 'collections OrderedDict'),
    *('torch._utils _rebuild_tensor_v2', 'torch FloatStorage', 'torch Size'),
    *('torch._utils _rebuild_parameter', 'torch.nn.parameter Parameter', 'torch dtype'),
    *('numpy dtype', 'numpy ndarray', 'numpy.core.multiarray _reconstruct'),
    *(
        'numpy._core.multiarray scalar',
        '_codecs encode',
        'builtins set',
        'torch device',
    ),
    'mmengine.optim.scheduler.param_scheduler OneCycleParamScheduler',
]


def operand(value) -> bytes:
    """The opcode that puts a plain value on the stack."""
    return pickle.dumps(value, protocol=2)[2:-1]


def name(found: str) -> bytes:
    module, _, attribute = found.partition(' ')
    return f'c{module}\n{attribute}\n'.encode()


def programs(marker: str):
    """Pickles of random opcodes, which call what they can."""
    values = [
        *(f'touch {marker}', f'open({marker!r}, "w")', marker, 'w', '__globals__'),
        *('system', '__subclasses__', 'mean', 'f8', 'O', b'cos\nsystem\n', 0, 2**40),
        *(None, (), [], {}, 'cpu', 'latin1', -1),
    ]
    call = st.tuples(
        st.sampled_from(GLOBALS).map(name),
        st.lists(st.sampled_from(values).map(operand), max_size=3).map(b''.join),
        st.sampled_from([b'tR', b't\x81', b'tb', b'l', b'd', b't', b't}b', b'tQ']),
    ).map(lambda parts: parts[0] + b'(' + parts[1] + parts[2])
    single = st.sampled_from(
        [*b'(.0123abcdeghijlopqrstu})]\x85\x86\x87\x81\x82\x88\x89\x93\x94\x95QPR']
    ).map(lambda code: bytes([code]))
    opcode = call | single | st.sampled_from(values).map(operand)
    return st.lists(opcode, max_size=8).map(lambda codes: b''.join(codes) + b'.')


def as_zip(program: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, 'w') as archive:
        archive.writestr('a/data.pkl', program)
        archive.writestr('a/version', '3\n')
        archive.writestr('a/byteorder', 'little')
        archive.writestr('a/data/0', struct.pack('4f', 1, 2, 3, 4))
    return content.getvalue()


def as_legacy(program: bytes) -> bytes:
    start = [0x1950A86A20F9469CFC6C, 1001, dict(little_endian=True)]
    return b''.join(pickle.dumps(value, 2) for value in start) + program


@FUZZ
def test_malicious_pickles(tmp_path, examples):
    marker = tmp_path / 'marker'
    path = tmp_path / 'a.pth'
    for data in (saved(True), saved(False)):
        path.write_bytes(data)
        load(path)

    def check_program(prefix, program, wrap):
        path.write_bytes(wrap(b'\x80\x02' + prefix + program))
        check(path)
        with WATCH.watching():
            read_or_refuse(lambda: read_predictions(path), path)
        assert not marker.exists()

    prefixes = st.sampled_from([b'', b'}(', b'}U\x0astate_dict}s', b']'])
    wraps = st.sampled_from([as_zip, as_legacy, bytes])
    fuzz(check_program, prefixes, programs(str(marker)), wraps, examples=examples)


@pytest.mark.parametrize('key', ['config', 'cfg'])
def test_no_config_in_a_checkpoint_is_run(tmp_path, key):
    """MMEngine runs ``meta.config`` as Python when it resumes."""
    marker = tmp_path / 'marker'
    content = copy.deepcopy(sound_checkpoint())
    content['meta'][key] = f'open({str(marker)!r}, "w")'
    torch.save(content, tmp_path / 'a.pth')
    assert 'config' not in load(tmp_path / 'a.pth')['meta']
    assert not marker.exists()


def test_the_watch_sees_deeds(tmp_path):
    for deed in (
        lambda: os.system('true'),
        lambda: open(tmp_path / 'marker', 'w').close(),
        lambda: eval('1 + 1'),
        lambda: Config.fromstring('a = 1', '.py'),
    ):
        with pytest.raises(AssertionError), WATCH.watching():
            deed()


def test_partial_weights_may_begin_a_training():
    """Other keypoints leave the last layer as it is; another network is an error."""
    model, other = tiny_model(), tiny_model(keypoints=17)
    last = model[2].weight.clone()
    require_weights(model, other.state_dict(), 'a.pth', partial=True)
    assert torch.equal(model[0].weight, other[0].weight)
    assert torch.equal(model[2].weight, last)
    for name in ('x', '0.weight'):  # unknown, and of another size
        weights = OrderedDict({name: torch.ones(1)})
        with pytest.raises(ValueError, match=r'a\.pth does not fit: 8 weights are'):
            require_weights(model, weights, 'a.pth', partial=True)
