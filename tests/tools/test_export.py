"""Exported graphs give what the network's own test gives."""

import json
import re
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
import torch
from conftest import load_tool
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.apis import inference_topdown, init_model
from mmpose.registry import MODELS
from packaging.version import Version
from torch import nn

from ogn_mm.apis.export import (
    KeypointGraph,
    build_exportable,
    compare,
    example_crops,
    pack_crops,
)
from ogn_mm.apis.export_formats import FORMATS, ONNX_TORCH

HAS_ONNX = Version(torch.__version__) >= Version(ONNX_TORCH)
needs_onnx = pytest.mark.skipif(not HAS_ONNX, reason=f'torch older than {ONNX_TORCH}')
SUFFIXES = [
    pytest.param(suffix, marks=needs_onnx if suffix == '.onnx' else ())
    for suffix in FORMATS
]

ROOT = Path(__file__).parents[2]
DEMO = ROOT / 'configs/demo/td-ogn_res18-1deconv_1xb32-16e_generated-128x96.py'
CONFIG = f"""
_base_ = '{DEMO}'
codec = dict(type='OffsetHeatmap', input_size=(48, 64), heatmap_size=(12, 16))
model = dict(
    backbone=dict(
        stem_channels=8,
        base_channels=8,
        num_stages=2,
        strides=(1, 2),
        dilations=(1, 1),
        out_indices=(1,),
    ),
    head=dict(in_channels=16, deconv_out_channels=(8,), decoder=codec),
)
train_pipeline = _base_.train_pipeline
train_pipeline[-3].input_size = (48, 64)
train_pipeline[-2].encoder = codec
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_pipeline = _base_.val_pipeline
val_pipeline[-2].input_size = (48, 64)
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = val_dataloader
"""


@pytest.fixture(scope='module')
def tool():
    return load_tool('export')


@pytest.fixture(scope='module')
def folder(tool, tmp_path_factory):
    """Half a ResNet-18, narrow, its checkpoint, and what the tool makes of it."""
    folder = tmp_path_factory.mktemp('export')
    (folder / 'tiny.py').write_text(CONFIG)
    init_default_scope('mmpose')
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(folder / 'tiny.py').model)
    nn.init.normal_(model.head.offset_layer.weight, std=0.1)
    torch.save(dict(state_dict=model.state_dict()), folder / 'tiny.pth')
    tool.main(arguments(folder, 'nested/model.pt'))
    if HAS_ONNX:
        tool.main(arguments(folder, 'model.onnx'))
    return folder


def arguments(folder, out):
    return [
        *(str(folder / 'tiny.py'), str(folder / 'tiny.pth')),
        *('--out', str(folder / out)),
    ]


def load(folder, suffix):
    """The exported function, by the runtimes themselves."""
    if suffix == '.pt':
        script = torch.jit.load(folder / 'nested/model.pt')
        return lambda crops: [output.numpy() for output in script(crops)]
    session = onnxruntime.InferenceSession(folder / 'model.onnx')
    return lambda crops: session.run(['keypoints', 'scores'], {'crops': crops.numpy()})


@pytest.mark.parametrize('suffix', SUFFIXES)
def test_file_gives_what_the_test_gives(suffix, folder):
    """With the flip test, which the demo's config has."""
    model = init_model(str(folder / 'tiny.py'), str(folder / 'tiny.pth'), 'cpu')
    run = load(folder, suffix)
    for people in (1, 3):
        crops = example_crops(model, people, seed=people)
        keypoints, scores = run(crops)
        assert keypoints.shape == (people, 17, 2) and scores.shape == (people, 17)
        for i, sample in enumerate(model.test_step(pack_crops(model, crops))):
            expected = sample.pred_instances
            np.testing.assert_allclose(keypoints[i], expected.keypoints[0], atol=1e-3)
            np.testing.assert_allclose(
                scores[i], expected.keypoint_scores[0], atol=1e-5
            )
        assert np.ptp(keypoints, axis=1).min() > 16


def test_metadata(folder):
    extra = {'metadata.json': ''}
    torch.jit.load(folder / 'nested/model.pt', _extra_files=extra)
    found = json.loads(extra['metadata.json'])
    assert found['input_size'] == [48, 64] and found['padding'] == 1.25
    assert found['mean'] == [123.675, 116.28, 103.53] and found['flip_test'] is True
    assert found['keypoint_names'][:2] == ['nose', 'left_eye']
    assert [15, 13] in found['skeleton'] and len(found['sigmas']) == 17


@needs_onnx
def test_onnx_has_the_same_metadata(folder):
    session = onnxruntime.InferenceSession(folder / 'model.onnx')
    found = session.get_modelmeta().custom_metadata_map
    extra = {'metadata.json': ''}
    torch.jit.load(folder / 'nested/model.pt', _extra_files=extra)
    assert {name: json.loads(value) for name, value in found.items()} == json.loads(
        extra['metadata.json']
    )
    assert session.get_inputs()[0].shape == ['batch', 3, 64, 48]
    assert str(ROOT).encode() not in (folder / 'model.onnx').read_bytes()


@needs_onnx
def test_documented_use(folder, generated_people, monkeypatch):
    """The code of docs/export.md, without this package, finds what MMPose finds."""
    text = (ROOT / 'docs/export.md').read_text()
    (code,) = re.findall(r'```python\n(.*?)```', text, re.S)
    monkeypatch.chdir(folder)
    names = {}
    exec(code, names)
    path = min((generated_people / 'images/val').iterdir())
    image = cv2.imread(str(path))
    boxes = np.array([[10, 20, 60, 100], [30, 40, 130, 90], [-5, -9, 40, 50.5]])
    keypoints, scores = names['estimate'](image, boxes)
    model = init_model(str(folder / 'tiny.py'), str(folder / 'tiny.pth'), 'cpu')
    samples = inference_topdown(model, image, boxes.astype(np.float32))
    for i, sample in enumerate(samples):
        expected = sample.pred_instances
        np.testing.assert_allclose(keypoints[i], expected.keypoints[0], atol=1e-2)
        np.testing.assert_allclose(scores[i], expected.keypoint_scores[0], atol=1e-4)


@MODELS.register_module()
class CropIsMaps(nn.Module):
    """The crop's channels, shrunk by a stride of 8, as the network's maps."""

    def forward(self, inputs):
        return (inputs[..., ::8, ::8],)


def build_crop_is_maps():
    """Red is the heatmap, from 0 to 1; green and blue are offsets, from -1 to 1."""
    codec = dict(type='OffsetHeatmap', input_size=(48, 64), heatmap_size=(6, 8))
    head = dict(type='OffsetHead', in_channels=3, out_channels=1, decoder=codec)
    point = dict(name='tip', id=0, color=[0, 0, 0], type='', swap='')
    metainfo = dict(
        dataset_name='tips',
        keypoint_info={0: point},
        skeleton_info={},
        joint_weights=[1],
        sigmas=[0.1],
    )
    cfg = Config(
        dict(
            default_scope='mmpose',
            model=dict(
                type='TopdownPoseEstimator',
                data_preprocessor=dict(
                    type='PoseDataPreprocessor',
                    mean=[0] * 3,
                    std=[255] * 3,
                    bgr_to_rgb=True,
                ),
                backbone=dict(type='CropIsMaps'),
                head=dict(head, deconv_out_channels=None, deconv_kernel_sizes=None),
            ),
            test_dataloader=dict(
                dataset=dict(type='CocoDataset', metainfo=metainfo, pipeline=[])
            ),
        )
    )
    model = build_exportable(cfg)
    weights = dict(
        final_layer=(torch.eye(3)[:1], torch.zeros(1)),
        offset_layer=(torch.eye(3)[1:] * 255 / 127, torch.full((2,), -128 / 127)),
    )
    for name, (weight, bias) in weights.items():
        layer = getattr(model.head, name)
        layer.load_state_dict(dict(weight=weight[..., None, None], bias=bias))
    return model


def to_crops(maps):
    """(B, 3, 8, 6) heatmap and x, y offsets in units of 1/255 and 1/127, as crops."""
    maps = maps + torch.tensor([0, 128, 128])[:, None, None]
    return maps.flip(1).repeat_interleave(8, 2).repeat_interleave(8, 3).byte()


@pytest.mark.parametrize('suffix', SUFFIXES)
def test_ties_and_borders(suffix):
    maps = torch.zeros(4, 3, 8, 6, dtype=torch.long)
    maps[0, 0, 7, 5] = 255  # beyond the last corner
    maps[0, 1:, 7, 5] = 127
    maps[1, 0, 0, 0] = 51  # before the first corner
    maps[1, 1:, 0, 0] = -127
    maps[2, 0, 6, 1] = maps[2, 0, 2, 4] = 255  # a tie: the first in reading order
    maps[2, 1, 2, 4] = 127
    # nothing seen in the last: the first pixel, with its offset
    expected = [[51.5, 67.5], [-4.5, -4.5], [43.5, 19.5], [3.5, 3.5]]
    model = build_crop_is_maps()
    assert model.head.decoder.radius == 1
    write, load = FORMATS[suffix]
    run = load(write(KeypointGraph(model), {}))
    for chosen in ([0], [3, 2, 1], [0, 1, 2, 3]):
        keypoints, scores = run(to_crops(maps[chosen]))
        np.testing.assert_allclose(
            keypoints[:, 0], np.array(expected)[chosen], atol=1e-3
        )
        np.testing.assert_allclose(
            scores[:, 0], np.array([1, 0.2, 1, 0])[chosen], atol=1e-6
        )
    # what is compared leaves out the tie and the empty map
    assert compare(model, run, [to_crops(maps)])[2:] == (2, 2)
    noise = torch.randint(0, 256, (3, 3, 64, 48), dtype=torch.uint8)
    found = compare(model, run, [noise[:1], noise])
    assert found.pixels < 1e-3 and found.score < 1e-6 and found.compared > 0


@pytest.mark.parametrize('suffix', SUFFIXES)
def test_votes_of_several_pixels(suffix):
    model = build_crop_is_maps()
    model.head.decoder.vote_radius = 1.5
    write, load = FORMATS[suffix]
    run = load(write(KeypointGraph(model), {}))
    noise = torch.randint(0, 256, (3, 3, 64, 48), dtype=torch.uint8)
    found = compare(model, run, [noise[:1], noise])
    assert found.pixels < 1e-3 and found.score < 1e-6 and found.compared > 0


def test_a_graph_that_differs_is_not_written(tool, folder, monkeypatch):
    class Shifted(KeypointGraph):
        def forward(self, crops):
            keypoints, scores = super().forward(crops)
            return keypoints + 0.01, scores

    monkeypatch.setattr(tool, 'KeypointGraph', Shifted)
    message = r'shifted\.pt was not written: largest difference from PyTorch 1\.0e-02'
    with pytest.raises(SystemExit, match=message):
        tool.main(arguments(folder, 'shifted.pt'))
    assert not [path for path in folder.iterdir() if 'shifted' in path.name]


def test_errors(tool, folder, monkeypatch, capsys):
    files = sorted(folder.rglob('*.*'))
    with pytest.raises(SystemExit):
        tool.main(arguments(folder, 'model.engine'))
    assert 'model.engine: must end in .onnx or .pt' in capsys.readouterr().err
    options = ['--cfg-options', 'model.head.type=HeatmapHead']
    with pytest.raises(SystemExit, match='only TopdownPoseEstimator with OffsetHead'):
        tool.main([*arguments(folder, 'hm.pt'), *options])
    options = ['--cfg-options', 'model.head.out_channels=5']
    with pytest.raises(SystemExit, match='predicts 5 keypoints, but the .* the 17'):
        tool.main([*arguments(folder, 'five.pt'), *options])
    options = ['--cfg-options', 'test_dataloader.dataset.pipeline.2.use_udp=True']
    with pytest.raises(SystemExit, match=r'GetBBoxCenterScale and TopdownAffine\(use'):
        tool.main([*arguments(folder, 'udp.pt'), *options])
    monkeypatch.setattr(torch, '__version__', ONNX_TORCH)
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    with pytest.raises(SystemExit, match='ONNX files need onnx, onnxscript, onnxrunti'):
        tool.main(arguments(folder, 'missing.onnx'))
    monkeypatch.setattr(torch, '__version__', '2.6.0+cu124')
    with pytest.raises(SystemExit, match=r'torch >=2\.7, and 2\.6\.0\+cu124 is'):
        tool.main(arguments(folder, 'old.onnx'))
    assert sorted(folder.rglob('*.*')) == files
