"""MMEngine's checkpoints load with torch's protection on; crafted ones don't."""

import functools
import http.server
import os
import pickle
import threading
from collections import OrderedDict

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.optim import OneCycleLR
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler
from mmengine.runner import CheckpointLoader
from torch import nn

from ogn_mm.engine.checkpoint import (
    AtomicLocalBackend,
    find_weights,
    require_checkpoint,
    require_weights,
)
from ogn_mm.engine.safe_globals import PLAIN_DTYPES


def load(path):
    return CheckpointLoader.load_checkpoint(str(path), map_location='cpu')


class Reduced:
    """Pickles as the given call: ``Reduced(os.system, 'ls')`` runs ``ls``."""

    def __init__(self, function, *args, state=None):
        self.value = (function, args) if state is None else (function, args, state)

    def __reduce__(self):
        return self.value


@pytest.fixture
def checkpoint():
    """What MMEngine's Runner saves, in small."""
    model = nn.Linear(2, 2)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    return dict(
        meta=dict(
            epoch=1,
            cfg='model = dict()',
            dataset_meta=dict(
                classes=('person',),
                upper_body_ids=[0, 1],
                sigmas=np.array([0.026, 0.1], np.float32),
                keypoint_colors=np.array([[51, 153, 255]], np.uint8),
                skeleton_link_colors=np.array([], np.uint8),
            ),
        ),
        state_dict=model.state_dict(),
        message_hub=dict(
            log_scalars={'train/loss': HistoryBuffer([0.5, 0.25], [1, 1])},
            runtime_info=dict(best_score=np.float64(0.75), iter=np.int64(3)),
            resumed_keys={'train/loss': True},
        ),
        optimizer=optimizer.state_dict(),
    )


def assert_intact(loaded, checkpoint):
    meta, expected = (c['meta']['dataset_meta'] for c in (loaded, checkpoint))
    assert meta.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_array_equal(meta[key], value)
        assert type(meta[key]) is type(value)
        assert getattr(meta[key], 'dtype', None) == getattr(value, 'dtype', None)
    hub = loaded['message_hub']
    buffer = hub['log_scalars']['train/loss']
    buffer.update(0.0)  # arrays own their memory
    assert buffer.data[0].tolist() == [0.5, 0.25, 0.0]
    assert buffer.statistics('mean') == 0.25
    assert hub['runtime_info'] == dict(best_score=0.75, iter=3)
    assert type(hub['runtime_info']['best_score']) is np.float64
    for name, weight in checkpoint['state_dict'].items():
        assert torch.equal(loaded['state_dict'][name], weight)
    assert (
        loaded['optimizer']['state'].keys() == checkpoint['optimizer']['state'].keys()
    )


def test_round_trip(checkpoint, tmp_path):
    torch.save(checkpoint, tmp_path / 'new.pth')
    assert_intact(load(tmp_path / 'new.pth'), checkpoint)


@pytest.mark.parametrize('strategy', ['cos', 'linear'])
def test_one_cycle_goes_on(tmp_path, strategy):
    """The only scheduler of MMEngine whose state holds a function."""

    def build():
        optimizer = torch.optim.SGD(nn.Linear(2, 2).parameters(), lr=1)
        options = dict(eta_max=0.1, total_steps=6, anneal_strategy=strategy)
        return optimizer, OneCycleLR(optimizer, **options)

    optimizer, scheduler = build()
    optimizer.step()
    scheduler.step()
    torch.save(
        dict(optimizer=optimizer.state_dict(), scheduler=scheduler.state_dict()),
        tmp_path / 'cycle.pth',
    )
    saved = load(tmp_path / 'cycle.pth')
    resumed, resumed_scheduler = build()
    resumed.load_state_dict(saved['optimizer'])
    resumed_scheduler.load_state_dict(saved['scheduler'])
    for _ in range(3):
        for one, other in ((optimizer, scheduler), (resumed, resumed_scheduler)):
            one.step()
            other.step()
        rates = [one.param_groups[0]['lr'] for one in (optimizer, resumed)]
        assert rates[0] == rates[1]


@pytest.mark.parametrize('core', ['core', '_core'])
def test_files_of_numpy_1_and_2(checkpoint, tmp_path, core):
    # MMPose publishes its checkpoints in this format
    path = tmp_path / 'published.pth'
    torch.save(checkpoint, path, _use_new_zipfile_serialization=False)
    data = path.read_bytes()
    for old in (b'cnumpy.core.multiarray\n', b'cnumpy._core.multiarray\n'):
        data = data.replace(old, f'cnumpy.{core}.multiarray\n'.encode())
    assert f'cnumpy.{core}.multiarray\n'.encode() in data
    path.write_bytes(data)
    assert_intact(load(path), checkpoint)


class OwnClass:
    pass


def attacks(marker):
    scalar, dtype = (np.float64(1).__reduce__()[0], np.dtype)
    touch = f'touch {marker}'
    return {
        'command': Reduced(os.system, touch),
        'eval': Reduced(eval, f'open({str(marker)!r}, "w")'),
        'own class': OwnClass(),
        'another getattr': Reduced(getattr, OrderedDict, '__subclasses__'),
        'getattr on a statistic': Reduced(getattr, HistoryBuffer.min, '__globals__'),
        'getattr of __init__': Reduced(getattr, HistoryBuffer, '__init__'),
        'getattr of a scheduler': Reduced(getattr, OneCycleParamScheduler, '__init__'),
        'getattr of a list': Reduced(getattr, [], 'append'),
        'scheduler': Reduced(OneCycleParamScheduler, 1, 'lr', 0.1),
        'call of a statistic': Reduced(HistoryBuffer.min, HistoryBuffer([1], [1])),
        'object array': np.array([Reduced(os.system, touch)], object),
        'object dtype': np.array([None, 'a'], object),
        'scalar of object': Reduced(scalar, dtype('O'), pickle.dumps(1)),
        'scalar too short': Reduced(scalar, dtype('f8'), b'1234'),
        'scalar without dtype': Reduced(scalar, 'f8', b'12345678'),
        'structured dtype': np.zeros(1, 'i4,f8'),
        'array beyond its data': Reduced(
            np.zeros(1).__reduce__()[0],
            np.ndarray,
            (0,),
            b'b',
            state=(1, (2**40,), dtype('f8'), False, b'12345678'),
        ),
    }


@pytest.mark.parametrize('name', attacks(''))
def test_malicious_files_are_refused(tmp_path, name, monkeypatch):
    monkeypatch.setenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', '1')
    path, marker = tmp_path / 'evil.pth', tmp_path / 'marker'
    torch.save(dict(state_dict={}, meta=attacks(marker)[name]), path)
    with pytest.raises(pickle.UnpicklingError) as error:
        load(path)
    message = str(error.value)
    assert str(path) in message
    assert '\n' not in message
    assert 'weights_only' not in message  # no advice to turn the protection off
    assert not marker.exists()


@pytest.mark.parametrize('code', PLAIN_DTYPES)
def test_no_file_changes_a_dtype(tmp_path, code):
    """A dtype with a foreign layout would read memory that is not its own."""
    original = np.dtype(code)
    layout = (3, '<', (np.dtype('f8'), (1000,)), None, None, 8, 8, 0)
    crafted = Reduced(np.dtype, code, False, True, state=layout)
    torch.save(dict(crafted=crafted), tmp_path / 'evil.pth')
    loaded = load(tmp_path / 'evil.pth')['crafted']
    assert loaded == original
    assert loaded.subdtype is None
    assert loaded.itemsize == original.itemsize


@pytest.mark.parametrize('length', [0, 10, 500])
def test_damaged_file(checkpoint, tmp_path, length):
    torch.save(checkpoint, tmp_path / 'full.pth')
    path = tmp_path / 'cut.pth'
    path.write_bytes((tmp_path / 'full.pth').read_bytes()[:length])
    with pytest.raises(pickle.UnpicklingError, match=r'cut\.pth was not loaded: \S'):
        load(path)


def test_downloads_are_protected_too(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, '_hub_dir', str(tmp_path / 'hub'))
    torch.save(checkpoint, tmp_path / 'good.pth')
    torch.save(attacks(tmp_path / 'marker')['command'], tmp_path / 'evil.pth')
    handler = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=str(tmp_path)
    )
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f'http://127.0.0.1:{server.server_port}'
        assert_intact(load(f'{address}/good.pth'), checkpoint)
        with pytest.raises(pickle.UnpicklingError, match=r'evil\.pth'):
            load(f'{address}/evil.pth')
        server.shutdown()
    assert not (tmp_path / 'marker').exists()


def test_backend_makes_the_folder(tmp_path):
    path = tmp_path / 'work_dir/epoch_1.pth'
    AtomicLocalBackend().put(b'new', path)
    assert path.read_bytes() == b'new'


def test_local_checkpoints_must_exist(tmp_path):
    (tmp_path / 'there.pth').write_bytes(b'')
    require_checkpoint(str(tmp_path / 'there.pth'))
    with pytest.raises(FileNotFoundError, match=r'not\.pth: there is no such checkp'):
        require_checkpoint(str(tmp_path / 'not.pth'))
    with pytest.raises(FileNotFoundError):
        require_checkpoint(str(tmp_path))
    for scheme in ('https', 'torchvision', 'openmmlab', 'mmcls', 's3', 'a:s3'):
        require_checkpoint(f'{scheme}://not')


def test_failed_download_is_one_sentence():
    with pytest.raises(OSError, match=r'http://127.0.0.1:1/x.pth was not downloaded'):
        load('http://127.0.0.1:1/x.pth')


def test_weights_have_to_fit():
    """Some may be left over, as a mask head's; none may be missing."""
    model = torch.nn.Linear(2, 3)
    weights = {f'module.{k}': v + 1 for k, v in model.state_dict().items()}
    found = find_weights(dict(state_dict=weights | {'mask': torch.ones(1)}), 'a.pth')
    require_weights(model, found, 'a.pth')
    assert torch.equal(model.bias, weights['module.bias'])
    with pytest.raises(ValueError, match=r'a\.pth does not fit: 1 .* `bias`'):
        require_weights(model, {'weight': model.weight.data}, 'a.pth')
    with pytest.raises(ValueError, match=r'a\.pth does not fit: size mismatch for bi'):
        require_weights(model, found | {'bias': torch.zeros(4)}, 'a.pth')
    for content in ([1], dict(state_dict=3), dict(state_dict={'a': 'b'})):
        with pytest.raises(ValueError, match=r'a\.pth holds no weights'):
            find_weights(content, 'a.pth')
