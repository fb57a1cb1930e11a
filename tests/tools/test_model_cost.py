"""What networks cost: counted by hand on two tiny ones."""

import json
import sys
from pathlib import Path

import cv2
import pytest
import torch
from conftest import load_tool

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / 'tests/engine'))

import tiny_pose  # noqa: E402

OGN = """
_base_ = 'hm.py'
ogn_codec = dict(type='OffsetHeatmap', input_size=(32, 32), heatmap_size=(8, 8))
codec = dict(_delete_=True, **ogn_codec)
model = dict(
    head=dict(
        _delete_=True, type='OffsetHead', in_channels=8, out_channels=17,
        deconv_out_channels=None, deconv_kernel_sizes=None, decoder=ogn_codec),
    test_cfg=dict(flip_test=True))
train_pipeline = _base_.train_pipeline
train_pipeline[-2].encoder = ogn_codec
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
"""
MASK_RCNN = (
    ROOT / 'configs/ogn_mask_rcnn/kpt-mask-rcnn_r18-half_fpn_1xb2-1e_'
    'generated-crowds-240x320.py'
)
TRACKER = (
    ROOT / 'configs/ogn_tracking/ogn-mask-rcnn_r101_fpn-rc_iou-reid_posetrack17.py'
)


@pytest.fixture(scope='module')
def tool():
    threads = cv2.getNumThreads(), torch.get_num_threads()
    path = list(sys.path)
    yield load_tool('analysis_tools/model_cost')
    sys.path[:] = path
    cv2.setNumThreads(threads[0])
    torch.set_num_threads(threads[1])


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Two configs, of which ogn.py is the run of a study with two seeds."""
    folder = tmp_path_factory.mktemp('cost')
    tiny_pose.write_config(folder, 'hm.py', "data_mode = 'topdown'\n")
    (folder / 'ogn.py').write_text(OGN)
    row = folder / 'row'
    for seed, ap in ((0, 0.4), (1, 0.5)):
        (row / f'seed{seed}').mkdir(parents=True)
        result = dict(row='OGN, a row', metrics={'coco/AP': ap})
        (row / f'seed{seed}/result.json').write_text(json.dumps(result))
    (row / 'seed0.py').write_text("_base_ = '../ogn.py'\n")
    return folder


def test_costs(tool, folder, capsys):
    out = folder / 'costs.md'
    configs = [str(folder / 'hm.py'), '--study', str(folder)]
    options = ['--rounds', '3', '--ap', 'hm=30', '--out', str(out)]
    tool.main([*configs, *options])
    table = out.read_text()
    assert table in capsys.readouterr().out
    assert '| OGN, a row | 32x32 ' in table and '| 45 ' in table

    hm, ogn = json.loads(out.with_suffix('.json').read_text())['networks']
    # two convolutions of 3x3 with BatchNorm between them, and the head's of 1x1
    heatmaps = 8 * 17 + 17
    assert hm['parameters'] == (3 * 9 * 8 + 8) + 2 * 8 + (8 * 9 * 8 + 8) + heatmaps
    convolutions = 16**2 * 3 * 9 * 8 + 8**2 * 8 * 9 * 8 + 8**2 * 8 * 17
    normalization = 2 * 16**2 * 8
    assert hm['flops'] == convolutions + normalization
    # the offset layer comes in addition
    assert ogn['parameters'] - hm['parameters'] == 8 * 34 + 34
    assert ogn['flops'] - hm['flops'] == 8**2 * 8 * 34
    assert (hm['flip_test'], ogn['flip_test']) == ('no', 'yes')
    assert (hm['ap'], ogn['ap']) == (30, pytest.approx(45))
    for row in (hm, ogn):
        assert sorted(row['cpu_ms_rounds'])[1] == row['cpu_ms'] > 0
        assert ('gpu_ms' in row) == torch.cuda.is_available()
    assert cv2.imread(str(out.with_suffix('.png'))).std() > 0


def test_memory_is_that_of_weights_inputs_and_maps(tool, folder):
    """A person more takes as much as the one before, and weights are there once."""
    memory = [
        tool.measure_memory(tool.load_network(str(folder / 'hm.py'), people))
        for people in (2, 4, 8)
    ]
    steps = memory[1] - memory[0], memory[2] - memory[1]
    assert steps[1] == pytest.approx(2 * steps[0], rel=0.1)
    # at least the input, and the first convolution's maps before and behind the norm
    a_person = 4 * (3 * 32**2 + 2 * 8 * 16**2)
    assert a_person <= steps[0] / 2 < 4 * a_person


def test_what_is_timed_ends_with_keypoints_in_the_image(tool, folder):
    """Both passes of a flip test, decoding, and the way back out of the crop."""
    network = tool.load_network(str(folder / 'ogn.py'), people=2)
    for parameter in network.model.head.offset_layer.parameters():
        parameter.data.zero_()
    passes = []
    network.model.backbone.register_forward_hook(lambda *_: passes.append(1))
    first, second = network.predict()
    assert len(passes) == 2
    for found in (first.pred_instances, second.pred_instances):
        assert found.keypoints.shape == (1, 17, 2)
        # the box around (300, 250), padded by 1.25 and square
        assert (abs(found.keypoints - (300, 250)) <= 375 / 2).all()


def test_detectors_find_as_many_people_as_they_keep(tool, monkeypatch):
    """FLOPs of the ROI heads by hand: 300 proposals' boxes, 100 people's poses."""
    args = tool.parse_args([str(MASK_RCNN), '--rounds', '1'])
    (row,) = tool.measure(args)
    assert (row['input_size'], row['people']) == ('256x320', 100)
    assert row['cpu_ms'] > 0
    network = tool.load_network(str(MASK_RCNN), 1)
    monkeypatch.setattr(
        type(network.model.roi_head),
        'forward',
        lambda self, x, *_: x,  # pyramid and RPN alone
    )
    without = tool.count_cost(network)['flops']
    of_a_box = 64 * 49 * 256 + 256 * 256 + 256 * (2 + 4)
    upsampled = 17 * 28 * 28 * 4  # pixels, of four each
    of_a_pose = (4 * 9 * 64 * 64 + 16 * 64 * 17) * 7**2 + upsampled
    assert row['flops'] - without == 300 * of_a_box + 100 * of_a_pose


@pytest.mark.parametrize(
    'configs, options, message',
    [
        (['no.py'], [], 'no.py: there is no such config'),
        ([str(TRACKER)], [], 'posetrack17.py: it is neither of a top-down network'),
        (['hm.py', 'hm.py'], [], 'hm.py: another one is called hm, too'),
        (['hm.py'], ['--ap', 'mh=3'], '--ap mh: is none of the networks hm'),
        ([], ['--study', 'nowhere'], '--study nowhere: there is no result of a run'),
    ],
)
def test_mistakes_in_one_sentence(tool, folder, configs, options, message, monkeypatch):
    monkeypatch.chdir(folder)
    with pytest.raises(SystemExit) as error:
        tool.main([*configs, *options])
    assert str(error.value).startswith('error: ')
    assert message in str(error.value) and '\n' not in str(error.value)


@pytest.mark.parametrize(
    'options, message',
    [
        ('--ap hm', 'expected NAME=AP: hm'),
        ('--out costs.txt', 'the file has to end on .md'),
        ('--rounds 0', '--rounds must be at least 1'),
    ],
)
def test_faulty_arguments(tool, options, message, capsys):
    with pytest.raises(SystemExit):
        tool.main(['hm.py', *options.split()])
    assert message in capsys.readouterr().err
