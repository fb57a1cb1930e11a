"""Commands of the documents, run one after the other as they stand there, but small.

Every ``python tools/...`` is run, unless ``NOT_RUN`` says why not; test_docs.py parses
all of them.
"""

import re
import shlex
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from posetrack_scenes import random_scene, write_scene
from test_docs import DOCUMENTS, ROOT, commands
from test_docs_configs import config_blocks

from ogn_mm.datasets.generated_people import generate_dataset, generate_videos

sys.path.insert(0, str(ROOT / 'tests/engine'))

from killed_runs import fork_server

TOOL_FOLDERS = ('', 'analysis_tools', 'benchmarks', 'dataset_tools')
# What is not run, by a part of the command, and why. Every config of studies and suites
# is read and every network built by test_configs.py and its neighbours.
NOT_RUN = {
    'configs/studies/': 'trains for hours, some on data that are not public',
    'tools/benchmark.py': 'trains for minutes at least; see test_benchmark.py',
    'tools/install_': 'compiles, into the environment of the tests',
    '--size r50': 'takes minutes; the size of the laptop is run',
}
# Tutorials first: later documents use what they leave.
ORDER = ['docs/tutorial.md', 'configs/ogn_topdown/README.md']

POSE = 'work_dirs/wide-disks/epoch_1.pth'
PEOPLE = 'data/generated_people'
CROWDS = 'data/generated_crowds'
MASK_RCNN = (
    'configs/ogn_mask_rcnn/ogn-mask-rcnn_r18-half_fpn-rc_1xb2-1e'
    '_generated-crowds-240x320.py'
)
DETECTOR = (
    'configs/person_detector/faster-rcnn_r18-half_fpn_1xb4-5e_generated-crowds-240x320'
)
# Placeholders, large networks and other people's data, and what stands for them here.
SUBSTITUTES = {
    r'(POSE_)?CONFIG(\.\.\.)?': 'configs/mine/wide-disks.py',
    r'configs/person_detector/.*-(raw|gbg)\.py': r'configs/mine/detector-\1.py',
    r'configs/person_detector/CONFIG\.py': f'{DETECTOR}.py',
    r'configs/ogn_mask_rcnn/CONFIG\.py': MASK_RCNN,
    r'configs/ogn_tracking/CONFIG\.py': 'configs/mine/tracker.py',
    r'STUDY': 'configs/mine/study.py',
    r'POSE_CHECKPOINT|work_dirs/(NAME|wide-disks)/epoch_\d+\.pth': POSE,
    r'DET_CHECKPOINT|work_dirs/laptop_detector/epoch_\d\.pth': 'work_dirs/detector.pth',
    r'DIR': 'work_dirs/out',
    r'DUMP\.pkl': 'work_dirs/wide-disks/found.pkl',
    r'DIR/predictions\.pkl': 'work_dirs/predictions.pkl',
    r'ANN|ANNOTATIONS|data/coco_val_poses/\S+': f'{PEOPLE}/annotations/val.json',
    r'FILE': 'work_dirs/found.json',
    r'RESULTS(\.\.\.)?': 'work_dirs/study/ogn/seed0/predictions.keypoints.json',
    r'NAME\.pth': 'work_dirs/published.pth',
    r'INPUT': f'{CROWDS}/images/val',
    r'VIDEO': 'data/posetrack18/images/val/000001_mpii_val',
    r'(GT|PRED)_DIR': r'data/scenes/\1',
    r'data/people1k/images': f'{PEOPLE}/images/train',
    r'data/people1k/annotations/train\.json': f'{PEOPLE}/annotations/train.json',
    r'data/mine/people\.json': f'{PEOPLE}/annotations/train.json',
    r'ANN\.json': f'{CROWDS}/annotations/val.json',
    r'data/coco/annotations/.*(train|val)2017\.json': rf'{CROWDS}/annotations/\1.json',
    r'raw\.json': 'data/coco/person_detection_results/raw.json',
    r'data/coco/(train|val)2017': rf'{CROWDS}/images/\1',
    r'1000': '40',
    r'150': '6',
    r'1500': '8',
    r'300': '4',
    r'(train=|fit=)\d+': r'\g<1>30',
    r'(val=|dev=)\d+': r'\g<1>4',
    r'train_cfg.max_epochs=\d+': 'train_cfg.max_epochs=1',
}
# Of some tools, by a part of the command.
ITS_SUBSTITUTES = {
    'detect_people.py': {r'CONFIG': 'configs/mine/detector-raw.py', 'DIR': 'INPUT'},
    'detect_people.py|box_recall.py': {r'ANN': 'ANN.json'},
    'track_video.py': {
        r'CONFIG': 'configs/ogn_tracking/CONFIG.py',
        'DIR': 'work_dirs/tracks',
    },
    'person_detector|detect_people.py': {r'CHECKPOINT': 'DET_CHECKPOINT'},
    'ogn_mask_rcnn': {
        r'CHECKPOINT': 'work_dirs/mask_rcnn.pth',
        'DIR': 'work_dirs/one',
    },
    'POSE_CONFIG': {r'DIR': 'work_dirs/poses'},
    'STUDY': {r'DIR': 'work_dirs/study'},
    'compare_people.py': {rf'{CROWDS}/\S+': 'ANN'},
    '': {r'CHECKPOINT': 'POSE_CHECKPOINT'},
}
# Arguments that make a command small, where it has none of its own, and in any case.
DEFAULTS = {
    'generate_people.py': '--num-train 40 --num-val 6',
    'generate_videos.py': '--num-train 1 --num-val 1 --frames 3',
}
ADDED = {
    'train.py': '--cfg-options train_cfg.max_epochs=1',
    'model_cost.py': '--rounds 1',
    'draw_figures.py': '--out work_dirs/figures',
    'benchmark_boxes.py': '--counts 50 --rounds 1',
    'benchmark_codec.py': '--sizes 6x8 --people 2 --rounds 1',
    'benchmark_export.py': '--formats .pt --people 1 --rounds 1',
    'benchmark_head.py': '--heads 8:6x8:0 --people 2 --rounds 1',
    'benchmark_keypoint_rcnn.py': '--image 128 160 --images 1 --people 2 --rounds 1',
    'benchmark_keypoint_rois.py': '--rois 2 --rounds 1',
    'benchmark_pipeline.py': '--samples 3 --rounds 1',
    'benchmark_pose_nms.py': '--poses 4 --rounds 1',
    'benchmark_roi_loading.py': '--samples 4 --rounds 1',
    'benchmark_tracking.py': '--people 2 --frames 4 --rounds 1',
}


def substitute(word, table):
    for pattern, text in table.items():
        found = re.fullmatch(pattern, word)
        if found:
            return found.expand(text)
    return word


def make_small(words):
    """A command's words with its placeholders filled in, and little to do."""
    words = words[1:]
    for part, table in ITS_SUBSTITUTES.items():
        if re.search(part, shlex.join(words)):
            words = [substitute(word, table) for word in words]
    words = [substitute(word, SUBSTITUTES) for word in words]
    name = Path(words[0]).name
    words[1:1] = DEFAULTS.get(name, '').split()
    added = ADDED.get(name, '').split()
    return words + added[added[:1] == ['--cfg-options'] and '--cfg-options' in words :]


def read_commands(document):
    """Commands of a document that call a script of this repository."""
    for words in commands(ROOT / document):
        if words[0] == 'python' and words[1].endswith('.py'):
            yield words


def is_run(words):
    return not any(part in shlex.join(words) for part in NOT_RUN)


NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
RUN = [name for name in NAMES if any(map(is_run, read_commands(name)))]
RUN.sort(key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


def save_untrained(config, path):
    init_default_scope('mmdet')
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(config).model)
    torch.save(dict(state_dict=model.state_dict(), meta={}), path)


def write_configs(folder):
    """The tutorial's config and study, a detector of few boxes, and a tracker."""
    tutorial = (ROOT / 'docs/tutorial.md').read_text()
    config, study = re.findall(r'^```python\n(.*?)^```', tutorial, re.M | re.S)
    study = study.replace('[0, 1, 2]', '[0]')
    study += "common_options = {'train_cfg.max_epochs': 1}\n"
    (tracker,) = config_blocks(ROOT / 'configs/ogn_tracking/README.md')[0]
    for part in ('detector-raw', 'wide-disks'):
        named = r"config='.*?NAME.*?', checkpoint='FILE'"
        path = POSE if part == 'wide-disks' else 'work_dirs/detector.pth'
        text = f"config='configs/mine/{part}.py', checkpoint='{path}'"
        tracker = re.sub(named, text, tracker, count=1)
    files = {'wide-disks': config, 'study': study, 'tracker': tracker}
    for boxes in ('raw', 'gbg'):
        files[f'detector-{boxes}'] = (
            f"_base_ = '../../{DETECTOR}-{boxes}.py'\n"
            'model = dict(test_cfg=dict(rpn=dict(nms_pre=30)))\n'
        )
    for name, text in files.items():
        (folder / f'{name}.py').write_text(text)


@pytest.fixture(scope='module')
def workspace(tmp_path_factory):
    """A checkout with data, untrained detectors, and the tutorial's files."""
    folder = tmp_path_factory.mktemp('checkout')
    (folder / 'tools').symlink_to(ROOT / 'tools')
    (folder / 'configs/mine').mkdir(parents=True)
    for path in (ROOT / 'configs').iterdir():
        (folder / 'configs' / path.name).symlink_to(path)
    write_configs(folder / 'configs/mine')
    crowds = dict(max_people=8, max_overlap=0.8)
    generate_dataset(folder / CROWDS, dict(train=8, val=4), **crowds)
    videos = dict(frames=4, size=(160, 120), max_people=2)
    generate_videos(folder / 'data/posetrack18', dict(train=1, val=1), **videos)
    scene = random_scene(np.random.default_rng(0))
    write_scene(folder / 'data/scenes', '000001_mpii_test', scene)
    for name in ('GT', 'PRED'):
        (folder / 'data/scenes' / name).symlink_to(name.lower())
    (folder / 'work_dirs').mkdir()
    save_untrained(ROOT / f'{DETECTOR}.py', folder / 'work_dirs/detector.pth')
    save_untrained(ROOT / MASK_RCNN, folder / 'work_dirs/mask_rcnn.pth')
    return folder


@pytest.fixture(scope='module')
def run(workspace):
    """A function that runs a command, if it was not run before."""
    output, done = workspace / 'output.txt', set()
    folders = [ROOT / 'tools' / name for name in TOOL_FOLDERS]
    with fork_server(output, *folders, cwd=workspace) as run_tool:

        def run(words):
            if tuple(words) in done:
                return
            done.add(tuple(words))
            start = output.stat().st_size
            tool = f'../{words[0]}'.removesuffix('.py')
            if run_tool(tool, words[1:]) != [0]:
                text = output.read_bytes()[start:].decode()
                pytest.fail(f'{shlex.join(words)}\n{text}')
            for option, value in pairwise(words):
                if option in ('--out', '--dump'):
                    assert (workspace / value).exists(), shlex.join(words)

        yield run


def test_what_is_not_run_stands_in_the_documents():
    texts = [shlex.join(words) for name in NAMES for words in read_commands(name)]
    for part in NOT_RUN:
        assert any(part in text for text in texts), part
    assert sum(map(is_run, map(shlex.split, texts))) > len(texts) / 2


@pytest.mark.slow
@pytest.mark.parametrize('document', RUN)
def test_commands_do_what_they_say(document, workspace, run):
    for words in filter(is_run, read_commands(document)):
        run(make_small(words))
    if document == 'docs/tutorial.md':
        for name in ('found.pkl', 'report.html', 'pictures/poses.png'):
            assert (workspace / 'work_dirs/wide-disks' / name).stat().st_size > 0
        assert (workspace / 'work_dirs/study/table.md').exists()
