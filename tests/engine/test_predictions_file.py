import contextlib
import os
import pickle
import struct
import tracemalloc

import numpy as np
import pytest
import torch
from mmengine.evaluator import DumpResults
from mmengine.structures import InstanceData

from ogn_mm.engine.predictions_file import read_predictions


def test_reads_what_mmengine_writes(tmp_path):
    path = tmp_path / 'predictions.pkl'
    instances = InstanceData(
        keypoints=np.random.default_rng(0).random((2, 17, 2), np.float32),
        labels=torch.tensor([0, 1]),
        scores=torch.rand(2, 3)[:, 1:],  # not contiguous
        keypoint_scores=np.zeros((2, 0)),
        crowd=np.array([True, False]),
    )
    sample = dict(
        img_id=3, img_path='a.jpg', category_id=np.int64(1), ori_shape=(240, 320)
    )
    dumper = DumpResults(str(path))
    dumper.process(None, [dict(sample, pred_instances=instances.to_dict())])
    dumper.evaluate(1)
    (read,) = read_predictions(path)
    fields = read.pop('pred_instances')
    assert read == sample
    for name, value in instances.items():
        assert type(fields[name]) is type(value)
        np.testing.assert_array_equal(fields[name], value)


class Command:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize(
    ('content', 'sentence'),
    [
        (lambda folder: pickle.dumps([Command(folder)]), 'asks for `posix.mkdir`'),
        (lambda folder: pickle.dumps([np.array([None])]), "type 'O8'"),
        (lambda folder: b'{"coco/AP": 0.5}', 'it is damaged'),
        (lambda folder: b'', 'it is damaged'),
        (lambda folder: pickle.dumps([dict(img_id=1)]), '`pred_instances`'),
        (lambda folder: pickle.dumps(dict(a=1)), 'a list of samples'),
    ],
)
def test_refuses_all_else(content, sentence, tmp_path):
    path, folder = tmp_path / 'a.pkl', tmp_path / 'made'
    path.write_bytes(content(folder))
    with pytest.raises(ValueError, match=sentence) as error:
        read_predictions(path)
    assert str(error.value).startswith(f'{path}: no file of predictions: ')
    assert not folder.exists()


def test_a_small_file_takes_little_memory(tmp_path):
    """A place among the known objects, or a length, is no reason to make room."""
    path = tmp_path / 'found.pkl'
    place = b'\x80\x02]r' + struct.pack('<I', 100_000_000) + b'.'
    length = b'\x80\x04\x8e' + struct.pack('<Q', 2**33) + b'few.'
    for content in (place, length):
        path.write_bytes(content)
        tracemalloc.start()
        with contextlib.suppress(ValueError):
            read_predictions(path)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 1e6
