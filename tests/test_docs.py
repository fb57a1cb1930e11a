"""What the documents tell people to type is understood, and what they link to exists.

That the tools do what they say is for the tests of the tools; here every command line
of every Markdown file is parsed by the tool that it calls.
"""

import importlib
import re
import shlex
from pathlib import Path

import pytest
from conftest import load_tool
from mmengine.config import Config

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    path
    for folder in ('.', 'docs', 'docs/results', 'configs/*')
    for path in sorted(ROOT.glob(f'{folder}/*.md'))
]
# Programs that are not of this repository; python is python -m.
FOREIGN = ('export', 'mim', 'module', 'pip', 'python', 'tensorboard', 'tox')
PLACEHOLDER = re.compile(r'\b[A-Z][A-Z_]{2,}\b')


def commands(document):
    """The command lines of a document's bash blocks, as lists of words."""
    for block in re.findall(r'^```bash\n(.*?)^```', document.read_text(), re.M | re.S):
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
    """Let a Python tool parse its arguments."""
    tool = load_tool(words[0].removeprefix('tools/').removesuffix('.py'))
    if not hasattr(tool, 'parse_args'):
        assert len(words) == 1
        return
    try:
        tool.parse_args(words[1:])
    except SystemExit as end:
        pytest.fail(f'status {end.code}')


@pytest.mark.parametrize('words', COMMANDS)
def test_commands_are_understood(words, monkeypatch):
    monkeypatch.chdir(ROOT)
    check_paths(words)
    program, *arguments = words
    if program == 'python' and arguments[0].startswith('tools/'):
        for folder in ('tools', Path(arguments[0]).parent):
            monkeypatch.syspath_prepend(str(ROOT / folder))
        parse(arguments)
    elif program == 'bash':
        script = (ROOT / arguments[0]).read_text()
        least = int(re.search(r'if \[ \$# -lt (\d) \]', script)[1])
        assert len(arguments) - 1 >= least
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
