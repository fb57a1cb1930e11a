"""Commands of the documents, run one after the other as they stand there, but small.

Those that need a cluster, COCO or hours are parsed alone: see test_docs.py.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_docs import ROOT, commands

TUTORIAL = ROOT / 'docs/tutorial.md'
PEOPLE = 'data/generated_people'
# Placeholders and figures of the documents, and what stands for them here.
SUBSTITUTES = {
    r'CONFIG(\.\.\.)?': 'configs/mine/wide-disks.py',
    r'CHECKPOINT': 'work_dirs/wide-disks/epoch_1.pth',
    r'work_dirs/(NAME|wide-disks)/epoch_\d+\.pth': 'work_dirs/wide-disks/epoch_1.pth',
    r'DIR': 'work_dirs/out',
    r'DUMP\.pkl': 'work_dirs/wide-disks/found.pkl',
    r'DIR/predictions\.pkl': 'work_dirs/predictions.pkl',
    r'ANN': f'{PEOPLE}/annotations/val.json',
    r'RESULTS(\.\.\.)?': 'work_dirs/study/ogn/seed0/predictions.keypoints.json',
    r'NAME\.pth': 'work_dirs/published.pth',
    r'ANNOTATIONS|data/coco_val_poses/\S+': f'{PEOPLE}/annotations/val.json',
    r'1000': '40',
    r'150': '6',
    r'train=700': 'train=30',
    r'val=100': 'val=4',
    r'train_cfg.max_epochs=\d+': 'train_cfg.max_epochs=1',
}
# Arguments that make a command small.
ADDED = {
    'train.py': ['train_cfg.max_epochs=1'],  # to --cfg-options
    'generate_videos.py': ['--num-train', '1', '--num-val', '1', '--frames', '3'],
}
# Which commands of which documents, by the tools they call; the same command once.
RUN = {
    'docs/tutorial.md': 'generate_people train test report visualize_predictions '
    'run_study',
    'docs/data.md': 'generate_people split_annotations generate_videos',
    'docs/export.md': 'export',
    'docs/tools.md': 'train publish_model',
    'README.md': 'eval_metric compare_people model_cost export codec_oracle',
    'configs/ogn_topdown/README.md': 'test report visualize_predictions codec_oracle',
    'configs/ogn_mask_rcnn/README.md': 'roi_oracle',
}


def make_small(words):
    """A command's words with its placeholders filled in, and little to do."""
    small = []
    for word in words:
        for pattern, text in SUBSTITUTES.items():
            if re.fullmatch(pattern, word):
                word = text
        small.append(word)
    name = Path(words[1]).name
    if name == 'train.py' and '--cfg-options' not in small:
        small.append('--cfg-options')
    return small + ADDED.get(name, [])


@pytest.fixture(scope='module')
def workspace(tmp_path_factory):
    """A checkout in which the tutorial's files have been saved."""
    folder = tmp_path_factory.mktemp('checkout')
    (folder / 'tools').symlink_to(ROOT / 'tools')
    (folder / 'configs/mine').mkdir(parents=True)
    for path in (ROOT / 'configs').iterdir():
        if not (folder / 'configs' / path.name).exists():
            (folder / 'configs' / path.name).symlink_to(path)
    blocks = re.findall(r'^```python\n(.*?)^```', TUTORIAL.read_text(), re.M | re.S)
    config, study = blocks
    study = study.replace('[0, 1, 2]', '[0]')
    study += "common_options = {'train_cfg.max_epochs': 1}\n"
    (folder / 'configs/mine/wide-disks.py').write_text(config)
    (folder / 'configs/mine/study.py').write_text(study)
    return folder


def run(words, folder):
    path = f'{Path(sys.executable).parent}:{os.environ["PATH"]}'
    env = dict(os.environ, PATH=path, PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1')
    done = subprocess.run(
        ['bash', '-c', shlex.join(words)],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, f'{shlex.join(words)}\n{done.stdout}{done.stderr}'


@pytest.mark.slow
@pytest.mark.parametrize('document', RUN)
def test_commands_do_what_they_say(document, workspace):
    """The tutorial's come first: later documents use what it leaves."""
    count = 0
    for words in commands(ROOT / document):
        tool = Path(words[1]).stem if words[0] == 'python' else None
        if tool not in RUN[document].split():
            continue
        words = make_small(words)
        if document == 'docs/data.md' and tool == 'split_annotations':
            (workspace / 'data/mine').mkdir()
            people = workspace / PEOPLE / 'annotations/train.json'
            shutil.copy(people, workspace / 'data/mine/people.json')
        run(words, workspace)
        count += 1
    assert count >= len(RUN[document].split())
    if document == 'docs/tutorial.md':
        for name in ('found.pkl', 'report.html', 'pictures/poses.png'):
            assert (workspace / 'work_dirs/wide-disks' / name).stat().st_size > 0
        assert (workspace / 'work_dirs/study/table.md').exists()
