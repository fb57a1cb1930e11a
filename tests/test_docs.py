"""What the documents tell people to type is understood, and what they link to exists.

That the commands do what they say is for test_docs_commands.py; here every command line
of every Markdown file is parsed by the tool that it calls, also where a shell script
stands between, and its options are merged into its config.
"""

import copy
import importlib
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from conftest import load_tool
from mmengine.config import Config
from tiny_detector import read_config

from ogn_mm.engine.config_check import check_config, merge_options

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    path
    for folder in ('.', 'docs', 'docs/results', 'configs/*')
    for path in sorted(ROOT.glob(f'{folder}/*.md'))
]
# Programs that are not of this repository; python is python -m.
FOREIGN = ('[', 'export', 'mim', 'module', 'pip', 'python', 'tensorboard', 'tox')
PLACEHOLDER = re.compile(r'\b[A-Z][A-Z_]{2,}\b')
# Configs that stand for what a reader fills in.
STAND_INS = {
    'CONFIG': 'ogn_topdown/td-ogn_res50-1deconv_8xb8-22e_coco-256x192.py',
    'configs/mine/': 'demo/td-ogn_res18-1deconv_1xb32-16e_generated-128x96.py',
    'configs/ogn_mask_rcnn/CONFIG': 'ogn_mask_rcnn/'
    'ogn-mask-rcnn_r50_fpn-rc_8xb2-1x_coco.py',
    'configs/ogn_tracking/CONFIG': 'ogn_tracking/'
    'two-stages-ogn_res152-512x384-gbg_iou-reid_posetrack17.py',
    'configs/person_detector/CONFIG': 'person_detector/'
    'faster-rcnn_r50_fpn_1x_coco-person.py',
}


def commands(document):
    """The command lines of a document, as lists of words.

    Those of its bash and sh blocks, and ``python`` scripts in its sentences.
    """
    text = document.read_text()
    blocks = re.findall(r'^```(?:bash|sh)\n(.*?)^```', text, re.M | re.S)
    blocks += re.findall(r'`(python (?:tools|docs)/\w[^`]*)`', text)
    for block in blocks:
        variables = {}
        for line in block.replace('\\\n', ' ').splitlines():
            if '=$(' in line:  # what only a shell knows
                continue
            words = shlex.split(line, comments=True)
            for name, value in variables.items():
                words = [word.replace(f'${name}', value) for word in words]
            while words and re.fullmatch(r'\w+=.*', words[0]):
                name, _, value = words.pop(0).partition('=')
                variables[name] = value
            if words:
                yield words


COMMANDS = [
    pytest.param(words, id=f'{document.relative_to(ROOT)}: {shlex.join(words)[:60]}')
    for document in DOCUMENTS
    for words in commands(document)
]


def check_paths(words):
    """Files of this repository that a command names exist."""
    for word in words:
        is_ours = re.match(r'(configs(?!/mine)|tools|requirements)/', word)
        if is_ours and not PLACEHOLDER.search(word):
            assert (ROOT / word).exists(), word


def parse(words):
    """Let a Python tool parse its arguments, and check those for its config."""
    tool = load_tool(f'../{words[0]}'.removesuffix('.py'))
    if not hasattr(tool, 'parse_args'):
        assert len(words) == 1
        return
    try:
        args = tool.parse_args(words[1:])
    except SystemExit as end:
        pytest.fail(f'status {end.code}')
    if hasattr(args, 'cfg_options'):
        check_options(args.config, args.cfg_options or {})


def check_options(name, options):
    """Options change settings of the config, or add some where others are."""
    for start, path in STAND_INS.items():
        if name.startswith(start):
            name = f'configs/{path}'
    config = copy.deepcopy(read_config(ROOT / name))
    for option in options:
        node = config
        for part in option.split('.')[:-1]:
            assert part in node, option
            node = node[part]
    merge_options(config, options)
    check_config(config)


def arguments_of(script, folder):
    """The Python tool that a shell script starts, and its arguments there.

    In place of ``python`` and ``srun`` is a program that prints its arguments.
    """
    for name in ('python', 'srun'):
        (folder / name).write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
        (folder / name).chmod(0o755)
    env = dict(os.environ, PATH=f'{folder}:{os.environ["PATH"]}')
    done = subprocess.run(['bash', *script], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    words = done.stdout.splitlines()
    (start,) = (i for i, word in enumerate(words) if re.match(r'tools/\w+\.py$', word))
    return words[start:]


@pytest.mark.parametrize('words', COMMANDS)
def test_commands_are_understood(words, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    check_paths(words)
    program, *arguments = words
    if program == 'python' and re.match('tools/|docs/', arguments[0]):
        for folder in ('tools', Path(arguments[0]).parent):
            monkeypatch.syspath_prepend(str(ROOT / folder))
        parse(arguments)
    elif program == 'bash':
        monkeypatch.syspath_prepend(str(ROOT / 'tools'))
        parse(arguments_of(arguments, tmp_path))
    elif program == 'make':
        assert f'\n{arguments[0]}:' in (ROOT / 'Makefile').read_text()
    else:
        assert program in FOREIGN


@pytest.mark.parametrize('document', DOCUMENTS, ids=lambda path: path.parent.name)
def test_links_lead_somewhere(document):
    text = re.sub(r'^```.*?^```', '', document.read_text(), flags=re.M | re.S)
    for target in re.findall(r'\]\(([^)\s]+)\)', text):
        if not re.match(r'https?:|mailto:|#', target):
            path = document.parent / target.partition('#')[0]
            assert path.exists(), f'{document.relative_to(ROOT)}: {target}'


def test_tutorial(tmp_path, monkeypatch):
    """Its config and study are read as they stand there, and mean what it says."""
    (tmp_path / 'configs').symlink_to(ROOT / 'configs')  # rows name them from here
    mine = tmp_path / 'mine'
    mine.mkdir()
    text = (ROOT / 'docs/tutorial.md').read_text()
    config, study = re.findall(r'^```python\n(.*?)^```', text, re.M | re.S)
    (mine / 'config.py').write_text(config.replace('../demo', '../configs/demo'))
    (mine / 'study.py').write_text(study)
    cfg = Config.fromfile(mine / 'config.py')
    assert cfg.model.head.decoder.radius == 1.5
    assert cfg.train_dataloader.dataset.pipeline[-2].encoder == cfg.codec
    ours = re.search(r"'ogn_mm::(\S+)'", text)[1]
    assert (ROOT / 'configs' / ours).exists()

    monkeypatch.syspath_prepend(str(ROOT / 'tools'))
    monkeypatch.chdir(tmp_path)
    plan = importlib.import_module('study.plan')
    plain, wide = plan.plan_runs(plan.load_study(mine / 'study.py'), [0], tmp_path)
    assert 'radius=' not in plain.text and wide.text.count('radius=1.5') == 4
