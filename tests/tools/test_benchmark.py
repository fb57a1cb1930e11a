"""Suites of experiments: each is built; a small one runs, goes on and is reported."""

import importlib
import json
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_docs import check_paths, parse

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / 'tools'
SUITES = sorted((ROOT / 'configs/benchmarks').glob('*.py'))

STEP = """
import sys
print('before')
print('| row | AP |')
print('| --- | --: |')
print('| OGN | 1.5 |')
print('said below')
open('{runs}', 'a').write('run\\n')
open('{out}/plot.png', 'w').write('')
sys.exit({status})
"""


@pytest.fixture
def load(monkeypatch):
    """Imports a module of the tools, in the checkout's root."""
    monkeypatch.syspath_prepend(str(TOOLS))
    monkeypatch.chdir(ROOT)
    return importlib.import_module


@pytest.fixture
def suite(load, tmp_path, capsys):
    """Runs a suite of one step that ends with the given status: status, output."""

    def run(status=0, size='smoke'):
        step = tmp_path / f'step{status}.py'
        out, runs = tmp_path / 'out', tmp_path / 'runs'
        step.write_text(STEP.format(out=out, runs=runs, status=status))
        path = tmp_path / 'suite.py'
        path.write_text(f"smoke = ['python {step} --out {{out}}']\n")
        code = 0
        try:
            load('benchmark').main([str(path), '--size', size, '--out', str(out)])
        except SystemExit as end:
            code = end.code
        runs = runs.read_text().count('run') if runs.exists() else 0
        return code, runs, ''.join(capsys.readouterr())

    return run


def test_a_suite_is_run_once_and_reported(suite, tmp_path):
    for _ in range(2):  # the second goes on from where the first has ended
        code, runs, output = suite()
        assert (code, runs) == (0, 1), output
    (step,) = json.loads((tmp_path / 'out/report.json').read_text())['steps']
    assert step['tables'] == [[{'row': 'OGN', 'AP': '1.5'}]]
    assert step['plots'] == ['plot.png']
    page = (tmp_path / 'out/report.md').read_text()
    assert '| OGN | 1.5 |\nsaid below' in page and 'before' not in page
    assert '![](plot.png)' in page and step['commit'] in page


LONG = """
import pathlib, sys, time
here = pathlib.Path('{folder}')
with open(here / 'log', 'a') as log:
    log.write(sys.argv[1] + ' begun, ')
    log.flush()
    while not (here / 'go').exists():
        time.sleep(0.01)
    log.write('ended, ')
"""


@pytest.mark.full
def test_an_interrupted_suite_goes_on(tmp_path):
    """An interruption ends the step; one that a kill left must end before."""
    step, path, log = (tmp_path / name for name in ('step.py', 'suite.py', 'log'))
    lines = ', '.join(f"'python {step} {name}'" for name in 'ab')
    path.write_text(f'smoke = [{lines}]\n')
    step.write_text(LONG.format(folder=tmp_path))
    tool = [sys.executable, str(TOOLS / 'benchmark.py'), str(path), '--size', 'smoke']
    tool += ['--out', str(tmp_path / 'out')]
    log.write_text('')

    def run(number, until):
        with subprocess.Popen(tool, stdout=subprocess.PIPE, text=True) as process:
            while not log.read_text().endswith(until):
                time.sleep(0.01)
            process.send_signal(number)
            return process.communicate()[0], process.returncode

    output, code = run(signal.SIGTERM, 'a begun, ')
    assert code == 130 and 'the same command goes on from here' in output
    # the step was ended and not waited for; it is done again
    assert log.read_text() == 'a begun, '
    run(signal.SIGKILL, 'a begun, a begun, ')
    refused = subprocess.run(tool, stderr=subprocess.PIPE, text=True)
    assert f'runs in {tmp_path}/out are still going on' in refused.stderr
    (tmp_path / 'go').write_text('')
    while not log.read_text().endswith('ended, '):
        time.sleep(0.05)
    subprocess.run(tool, check=True)
    subprocess.run(tool, check=True)  # nothing is left to do
    again = 'a begun, ended, b begun, ended, '
    assert log.read_text() == 'a begun, a begun, ended, ' + again


def test_a_plot_is_shown_once(load, tmp_path):
    """Also where two steps name the same folder."""
    plots = [['study.png'], ['costs.png', 'study.png']]
    facts = dict(printed='x', commit='a', dirty=False, versions={}, device='b')
    steps = [dict(facts, command=str(i), plots=p) for i, p in enumerate(plots)]
    load('study.suite_report').report_suite('name', steps, tmp_path)
    page = (tmp_path / 'report.md').read_text()
    assert page.count('![](study.png)') == page.count('![](costs.png)') == 1


def test_a_failing_step_ends_the_suite(suite, tmp_path):
    code, runs, _ = suite(status=3)
    assert runs == 1 and 'ended with status 3: python' in code
    assert not (tmp_path / 'out/report.json').exists()
    assert suite(status=3)[1] == 2  # it is not taken for finished


def test_what_has_changed_is_done_again(suite, load, monkeypatch):
    assert suite()[:2] == (0, 1)
    benchmark = load('benchmark')
    before = benchmark.hash_sources()
    monkeypatch.setattr(benchmark, 'hash_sources', lambda: 'another')
    assert suite()[:2] == (0, 2)
    monkeypatch.undo()
    monkeypatch.setattr(benchmark, 'SOURCES', ('configs',))
    assert benchmark.hash_sources() != before


def test_what_depends_on_a_changed_result_is_done_again(load, tmp_path):
    """A study is asked each time; what follows only if it says something else."""
    table, runs = tmp_path / 'table', tmp_path / 'runs'
    (tmp_path / 'tools').mkdir()
    study, after = tmp_path / 'tools/run_study.py', tmp_path / 'after.py'
    study.write_text(f"print(open('{table}').read())\n")
    after.write_text(f"open('{runs}', 'a').write('run ')\n")
    path = tmp_path / 'suite.py'
    path.write_text(f"smoke = ['python {study}', 'python {after}']\n")
    counts = []
    for ap in (1, 1, 2):
        table.write_text(f'| AP |\n| --- |\n| {ap} |\n')
        out = ['--out', str(tmp_path / 'out')]
        load('benchmark').main([str(path), '--size', 'smoke', *out])
        counts.append(runs.read_text().count('run'))
    assert counts == [1, 1, 2]


def test_studies_are_always_asked(load):
    asks = load('study.suite').goes_on_by_itself
    assert asks(['python', 'tools/run_study.py', '--jobs', '1'])
    assert asks(['python', 'tools/run_tracking_study.py', '--out', 'x'])
    assert not asks(['python', 'tools/benchmarks/benchmark_head.py'])


def test_each_seed_is_a_run(load, tmp_path):
    path = tmp_path / 'suite.py'
    path.write_text(
        "seeds = [0, 1]\nfull = ['{train} c.py {to} {out}/{seed}', 'python once.py']\n"
    )
    benchmark = load('benchmark')

    def commands(*options):
        args = [str(path), '--size', 'full', '--out', 'o', '--gpus', '2', *options]
        suite = benchmark.load_suite(benchmark.parse_args(args))
        return [shlex.join(entry['words']) for entry in suite]

    train = 'bash tools/dist_train.sh c.py 2 --work-dir o/'
    assert commands() == ['python once.py', f'{train}0', f'{train}1']
    assert commands('--seeds', '7') == ['python once.py', f'{train}7']
    cluster = commands('--slurm', 'gpu', '--seeds', '7')[1]
    assert cluster == 'bash tools/slurm_train.sh gpu suite-full c.py o/7'
    path.write_text("full = ['python once.py']\n")
    with pytest.raises(ValueError, match='--seeds: the suite has no seeds for `full`'):
        commands('--seeds', '7')


def test_it_may_be_called_from_anywhere(load, tmp_path, monkeypatch):
    """Commands run in the checkout; results lie where the user says."""
    main = load('benchmark').main
    (tmp_path / 'suite.py').write_text("smoke = ['ls configs']\n")
    monkeypatch.chdir(tmp_path)
    main(['suite.py', '--size', 'smoke', '--out', 'here'])
    assert (tmp_path / 'here/report.json').exists()


@pytest.mark.parametrize('options', [['--jobs', '0'], ['--gpus', '0']])
def test_numbers_of_jobs_and_gpus(load, options, capsys):
    with pytest.raises(SystemExit):
        load('benchmark').main(['codecs', '--size', 'smoke', *options])
    assert 'must be at least 1' in capsys.readouterr().err


@pytest.mark.full
@pytest.mark.parametrize('path', SUITES, ids=lambda path: path.stem)
def test_smoke_suites_run(load, path, tmp_path):
    """To their ends, as users start them; the longest takes ten minutes."""
    load('benchmark').main([path.stem, '--size', 'smoke', '--out', str(tmp_path)])
    assert '| --- |' in (tmp_path / 'report.md').read_text()


def test_faulty_names(suite, load):
    assert 'has no commands for `full`' in suite(size='full')[0]
    with pytest.raises(SystemExit, match=r'no such suite: .*table9.py'):
        load('benchmark').main(['table9', '--size', 'smoke'])


def test_metrics_of_a_test_become_a_table(load, tmp_path):
    path = tmp_path / 'metrics.json'
    path.write_text(json.dumps({'posetrack/MOTA': 60.7}))
    benchmark = load('benchmark')
    metrics = benchmark.written_metrics(['bash', 'test.sh', '--out', str(path)])
    text = benchmark.format_metrics(metrics)
    assert benchmark.read_tables(text) == [
        [{'metric': 'posetrack/MOTA', 'value': '60.70'}]
    ]


def test_rows_of_the_paper_stand_beside_ours(load, tmp_path, capsys):
    """A test's metrics, by row; without one of the paper's there is an empty cell."""
    step, path, out = (tmp_path / name for name in ('step.py', 'suite.py', 'out'))
    step.write_text(
        'import json, sys\n'
        'metrics = {"posetrack/AP": float(sys.argv[1]), "posetrack/MOTA": 50.0}\n'
        'json.dump(metrics, open(sys.argv[3], "w"))\n'
    )
    entries = [
        dict(
            command=f'python {step} {ap} --out {{out}}/{row}.json', row=row, paper=paper
        )
        for row, ap, paper in [
            ('a', 61.5, {'posetrack/AP': 64.3, 'posetrack/MOTA': 60.7}),
            ('b', 62.5, {'posetrack/AP': 65.9}),
        ]
    ]
    path.write_text(f'full = {entries}\n')
    for _ in range(2):  # the second time from the record
        load('benchmark').main([str(path), '--size', 'full', '--out', str(out)])
        page = (out / 'report.md').read_text()
        (out / 'report.md').unlink()
    table = load('benchmark').read_tables(page)[0]
    assert [list(row.values()) for row in table] == [
        ['a', '61.5', '64.3', '50.0', '60.7'],
        ['b', '62.5', '65.9', '50.0', ''],
    ]
    assert (out / 'rows.png').stat().st_size > 5000


@pytest.mark.parametrize('path', SUITES, ids=lambda path: path.stem)
@pytest.mark.parametrize('options', [[], ['--slurm', 'gpu']])
def test_commands_of_suites_are_understood(load, path, options, monkeypatch):
    """By the tools that they call; paths exist, and clusters get their own scripts."""
    benchmark = load('benchmark')
    for folder in ('benchmarks', 'analysis_tools', 'dataset_tools'):
        monkeypatch.syspath_prepend(str(TOOLS / folder))
    for size in benchmark.SIZES:
        args = [path.stem, '--size', size, '--gpus', '8', *options]
        for entry in benchmark.load_suite(benchmark.parse_args(args)):
            words = entry['words']
            check_paths(words)
            if size == 'full' and 'tools/detect_people.py' in words:
                words = ['python', *words[words.index('tools/detect_people.py') :]]
                assert entry['words'][0] == ('srun' if options else 'python')
            program, *words = words
            if program == 'python':
                parse(words)
                continue
            assert program == 'bash'
            script = (
                r'tools/slurm_(train|test)\.sh gpu \S+'
                if options
                else (r'tools/dist_(train|test)\.sh')
            )
            assert re.match(script + r' configs/\S+\.py ', shlex.join(words))
            assert ('8' in words) != bool(options)
