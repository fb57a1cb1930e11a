"""The page of a test: its figures, its pictures, and what a browser makes of it."""

import base64
import json
import os
import pickle
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
import torch
from conftest import load_tool
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.structures import InstanceData
from mmpose.registry import MODELS

DEMO = Path(__file__).parents[2] / 'configs/demo'
OGN = DEMO / 'td-ogn_res18-1deconv_1xb32-16e_generated-128x96.py'
SCRIPT = '<script>document.title="hacked"</script>.jpg'
BROWSERS = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')

make_page = load_tool('analysis_tools/report').main
run_test = load_tool('test').main


@MODELS.register_module()
class NoisyTruth(BaseModel):
    """Predicts the annotation with an error that grows with the person's id."""

    def forward(self, inputs, data_samples=None, mode='tensor'):
        for sample in data_samples:
            true = sample.gt_instances
            rng = np.random.default_rng(sample.id)
            sample.pred_instances = InstanceData(
                keypoints=true.keypoints + rng.normal(0, sample.id, (1, 17, 2)),
                keypoint_scores=rng.uniform(0.3, 1, (1, 17)),
                bboxes=true.bboxes,
                bbox_scores=true.bbox_scores,
            )
        return data_samples


class Page(HTMLParser):
    """What a page shows.

    Attributes:
        tags (list[tuple]): Names and attributes of its elements.
        text (str): All of its text, with single spaces.
    """

    def __init__(self, content: str):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(content)
        self.text = ' '.join(' '.join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    def all(self, tag, attribute):
        return [attrs[attribute] for name, attrs in self.tags if name == tag]

    @property
    def figures(self):
        return [float(value) for value in self.all('data', 'value')]


def write_config(path, base, root, model=''):
    path.write_text(
        f"""
_base_ = '{base}'
{model}
test_dataloader = dict(
    num_workers=0, persistent_workers=False, dataset=dict(data_root='{root}/'))
test_evaluator = dict(ann_file='{root}/annotations/val.json')
"""
    )
    return path


@pytest.fixture(scope='module')
def folder(generated_people, tmp_path_factory):
    """A test that was run, on data of which an image has a harmful name."""
    folder = tmp_path_factory.mktemp('report')
    for name in ('annotations', 'images/val'):
        shutil.copytree(generated_people / name, folder / 'data' / name)
    ann_file = folder / 'data/annotations/val.json'
    truth = json.loads(ann_file.read_text())
    image = next(
        i for i in truth['images'] if i['id'] == truth['annotations'][-1]['image_id']
    )
    harmful = folder / 'data/images/val' / SCRIPT
    harmful.parent.mkdir()
    (harmful.parents[1] / image['file_name']).rename(harmful)
    image['file_name'] = SCRIPT
    ann_file.write_text(json.dumps(truth))

    model = "model = dict(_delete_=True, type='NoisyTruth')"
    write_config(folder / 'noisy.py', OGN, folder / 'data', model)
    write_config(folder / 'ogn.py', OGN, folder / 'data')
    torch.save(dict(state_dict={}), folder / 'nothing.pth')
    run_test(
        [
            *(str(folder / 'noisy.py'), str(folder / 'nothing.pth')),
            *('--work-dir', str(folder / 'test')),
            *(
                '--dump',
                str(folder / 'found.pkl'),
                '--out',
                str(folder / 'metrics.json'),
            ),
            *('--cfg-options', f'test_evaluator.outfile_prefix={folder}/coco'),
        ]
    )
    return folder


@pytest.fixture(scope='module')
def people(folder):
    return json.loads((folder / 'data/annotations/val.json').read_text())['annotations']


def report(folder, predictions='found.pkl', config='noisy.py', *options):
    out = folder / 'report.html'
    arguments = [str(folder / config), str(folder / predictions), '--out', str(out)]
    make_page([*arguments, '--device', 'cpu', *options])
    return out.read_text()


@pytest.fixture(scope='module')
def content(folder, people):
    return report(folder, 'found.pkl', 'noisy.py', '--num-worst', str(len(people)))


def decode(address):
    """Width and height of a picture that an address holds."""
    kind, _, content = address.partition(';base64,')
    content = base64.b64decode(content, validate=True)
    if kind == 'data:image/svg+xml':
        root = ElementTree.fromstring(content)
        return tuple(float(root.get(side)[:-2]) for side in ('width', 'height'))
    assert kind == 'data:image/jpeg'
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR).shape[1::-1]


def test_figures_are_the_tests_own(folder, content):
    metrics = json.loads((folder / 'metrics.json').read_text())
    page = Page(content)
    assert page.figures == list(metrics.values())
    ap = metrics['coco/AP']
    assert 0.05 < ap < 0.95 and f'AP {100 * ap:.1f} AP .5' in page.text


def test_page_says_what_was_tested(folder, people, content):
    text = Page(content).text
    record = json.loads((folder / 'found.pkl.json').read_text())
    assert record['checkpoint'] == str(folder / 'nothing.pth')
    assert record['speed']['samples'] == len(people)
    for fact in (
        f'Config {folder}/noisy.py',
        f'Checkpoint {folder}/nothing.pth',
        f'{folder}/data/annotations/val.json: {len(people)} people in',
        f'Tested {record["finished"].replace("T", " ")}',
        f'torch {torch.__version__.partition("+")[0]}',
        f'Device {record["device"]}',
        f'Boxes per second {len(people) / record["speed"]["seconds"]:.1f}',
    ):
        assert fact in text


def test_all_keypoints_are_in_the_table(people, content):
    text = Page(content).text
    visible = np.array([person['keypoints'][2::3] for person in people]) > 0
    assert f'nose {visible[:, 0].sum()} ' in text
    assert f'right_ankle {visible[:, 16].sum()} ' in text
    assert f'all {visible.sum()} ' in text


def test_worst_come_first(folder, people, content):
    text = Page(content).text.partition('worst')[2]
    pieces = text.split('OKS ')[2:]  # the first is of the heading
    oks = [float(piece[:4]) for piece in pieces]
    assert len(oks) == len(people) and oks == sorted(oks)
    names = {f'person {p["image_id"]}/{p["id"]}' for p in people}
    assert all(any(name in piece for piece in pieces) for name in names)


def test_page_needs_nothing_else_and_runs_nothing(people, content):
    page = Page(content)
    sources = page.all('img', 'src')
    assert len(sources) == 3 + len(people)
    assert all(min(decode(source)) > 100 for source in sources)
    assert SCRIPT in page.text and '<script' not in content
    for tag, attributes in page.tags:
        assert tag not in ('script', 'link', 'iframe')
        assert not any(name.startswith('on') or name == 'href' for name in attributes)


def test_results_of_coco_give_the_same(folder, content):
    predictions = 'coco.keypoints.json'
    without = Page(report(folder, predictions, 'noisy.py', '--num-worst', '0'))
    assert without.figures == Page(content).figures
    # what a test did not write is not made up
    assert not any(word in without.text for word in ('per second', 'Tested', 'worst'))


@pytest.fixture(scope='module')
def third(people):
    """The third person, as IMAGE_ID/ANN_ID."""
    return f'{people[2]["image_id"]}/{people[2]["id"]}'


@pytest.fixture(scope='module')
def offset_content(folder, third):
    """The page with the offsets of the third person."""
    model = MODELS.build(Config.fromfile(folder / 'ogn.py').model)
    torch.save(dict(state_dict=model.state_dict()), folder / 'ogn.pth')
    options = ['--num-worst', '0', '--checkpoint', str(folder / 'ogn.pth')]
    return report(folder, 'found.pkl', 'ogn.py', '--person', third, *options)


def test_heatmaps_and_offsets_of_a_person(third, offset_content):
    page = Page(offset_content)
    assert f'Heatmaps and offsets of person {third}' in page.text
    picture = page.all('img', 'src')[-1]
    width, height = decode(picture)
    assert picture.startswith('data:image/jpeg') and min(width, height) > 500


@pytest.fixture(scope='module')
def faulty(folder):
    """Predictions that do not go with the test's record or data."""
    samples = pickle.loads((folder / 'found.pkl').read_bytes())
    (folder / 'changed.pkl').write_bytes(pickle.dumps(samples, protocol=2))
    changed = json.dumps(dict(metrics={'coco/AP': 0.1234}))
    (folder / 'changed.pkl.json').write_text(changed)
    samples[0]['img_id'] = 999
    (folder / 'elsewhere.pkl').write_bytes(pickle.dumps(samples, protocol=2))
    (folder / 'empty.json').write_text('[]')
    boxes = [dict(image_id=1, category_id=1, bbox=[0, 0, 9, 9], score=0.5)]
    (folder / 'boxes.json').write_text(json.dumps(boxes))


@pytest.mark.parametrize(
    ('predictions', 'config', 'options', 'sentence'),
    [
        ('none.pkl', 'noisy.py', [], 'none.pkl'),
        ('nothing.pth', 'noisy.py', [], 'nothing.pth: no file of predictions: '),
        (
            'elsewhere.pkl',
            'noisy.py',
            [],
            "elsewhere.pkl: prediction id 1: 'img_id'",
        ),
        ('empty.json', 'noisy.py', [], 'empty.json: should be a non-empty JSON list'),
        (
            'boxes.json',
            'noisy.py',
            [],
            "number 0: field 'keypoints' is missing",
        ),
        ('changed.pkl', 'noisy.py', [], 'the test gave 0.1234; annotations or config'),
        ('changed.pkl', 'ogn.py', ['--person', '1/2'], '--person needs --checkpoint'),
        ('found.pkl', 'noisy.py', ['--person', '1/2'], 'no OffsetHead to draw'),
        (
            'found.pkl',
            'ogn.py',
            ['--person', 'x', '--checkpoint', 'a.pth'],
            'should be IMAGE_ID/ANN_ID, as ',
        ),
        (
            'found.pkl',
            'noisy.py',
            ['--cfg-options', 'test_evaluator.type=EPE'],
            'must hold one CocoMetric',
        ),
        (
            'found.pkl',
            'noisy.py',
            ['--cfg-options', 'test_evaluator.format_only=True'],
            '`test_evaluator.format_only`',
        ),
    ],
)
def test_bad_input_is_told_in_one_sentence(
    predictions, config, options, sentence, folder, faulty
):
    out = folder / 'none.html'
    arguments = [str(folder / config), str(folder / predictions), '--out', str(out)]
    with pytest.raises(SystemExit) as error:
        make_page([*arguments, '--device', 'cpu', *options])
    message = str(error.value)
    assert sentence in message and '\n' not in message
    assert message.startswith(f'error: {folder}/{config}: ')
    assert not out.exists()


@pytest.fixture
def browse(tmp_path):
    """Opens a page in a browser; returns the DOM and what the console said."""
    found = [path for path in map(shutil.which, BROWSERS) if path]
    if not found:
        pytest.skip(f'needs a browser, one of {", ".join(BROWSERS)}')

    def open_page(path, width):
        switches = [
            *('headless', 'no-sandbox', 'disable-gpu', 'disable-quic', 'no-first-run'),
            *('disable-background-networking', 'disable-component-update'),
            *('disable-sync', 'enable-logging=stderr', f'window-size={width},900'),
            *(f'user-data-dir={tmp_path}/profile', 'dump-dom'),
        ]
        done = subprocess.run(
            [found[0], *(f'--{switch}' for switch in switches), path.as_uri()],
            capture_output=True,
            text=True,
            timeout=300,
            env=dict(os.environ, HOME=str(tmp_path)),
        )
        assert done.returncode == 0, done.stderr
        console = [line for line in done.stderr.splitlines() if 'CONSOLE' in line]
        return done.stdout, console

    return open_page


def test_page_in_a_browser(browse, content, folder, tmp_path):
    path = tmp_path / 'report.html'
    path.write_text(content)
    dom, console = browse(path, 1200)
    page = Page(dom)
    assert not console
    assert page.figures == Page(content).figures
    assert page.all('img', 'src') == Page(content).all('img', 'src')
    assert 'hacked' not in dom.partition('</title>')[0]


@pytest.mark.parametrize('width', [500, 1200])
@pytest.mark.parametrize('page', ['content', 'offset_content'])
def test_pictures_are_seen_and_nothing_is_cut_off(
    page, width, browse, request, tmp_path
):
    content = request.getfixturevalue(page)
    probe = """<script>
        const images = [...document.images].map(i => [i.naturalWidth, i.naturalHeight]);
        const root = document.documentElement;
        document.body.dataset.probe = JSON.stringify(
            {images, across: [root.scrollWidth, root.clientWidth]});
        console.error('probed');
    </script>"""
    policy = 'http-equiv="Content-Security-Policy"'
    assert content.count(policy) == content.count('</html>') == 1
    path = tmp_path / 'probe.html'
    # without the page's own policy, which lets no script run
    path.write_text(content.replace(policy, '').replace('</html>', probe + '</html>'))
    dom, console = browse(path, width)
    assert len(console) == 1 and 'probed' in console[0]
    found = json.loads(Page(dom).all('body', 'data-probe')[0])
    assert len(found['images']) == len(Page(content).all('img', 'src'))
    assert min(map(min, found['images'])) > 100
    needed, given = found['across']
    assert needed <= given <= width
