"""Detection files: complete or absent, the same however the work was cut up."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from conftest import load_tool, snapshot
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from ogn_mm.engine.json_lines import read_json_lines

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / 'tests/engine'))

from killed_runs import fork_server  # noqa: E402

TOOL = ROOT / 'tools/detect_people.py'
RAW = 'faster-rcnn_r18-half_fpn_1xb4-5e_generated-crowds-240x320-raw.py'
CONFIG = f"""
_base_ = '{ROOT}/configs/person_detector/{RAW}'
model = dict(test_cfg=dict(rpn=dict(nms_pre=30), rcnn=dict(score_thr=0.3)))
test_pipeline = _base_.test_pipeline
test_pipeline[1].scale = (160, 120)
test_dataloader = dict(num_workers=0, dataset=dict(pipeline=test_pipeline))
"""


@pytest.fixture(scope='module')
def tool():
    return load_tool('detect_people')


@pytest.fixture(scope='module')
def arguments(generated_people, tmp_path_factory):
    """A function that gives the tool's arguments; options replace or leave out some."""
    folder = tmp_path_factory.mktemp('detector')
    config, checkpoint = folder / 'config.py', folder / 'model.pth'
    config.write_text(CONFIG)
    init_default_scope('mmdet')
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(config).model)
    model.init_weights()
    torch.save(dict(state_dict=model.state_dict()), checkpoint)

    def make(out, config=config, checkpoint=checkpoint, **options):
        defaults = dict(
            ann=generated_people / 'annotations/train.json',
            images=generated_people / 'images/train',
            out=out,
            work_dir=Path(out).with_suffix('.work_dir'),
        )
        options = defaults | options
        pairs = [(f'--{k.replace("_", "-")}', str(v)) for k, v in options.items()]
        return [str(config), str(checkpoint), *sum(pairs, ())]

    return make


@pytest.fixture(scope='module')
def uninterrupted(tool, arguments, tmp_path_factory):
    """The file of one process that nobody disturbs."""
    out = tmp_path_factory.mktemp('uninterrupted') / 'found.json'
    tool.main(arguments(out))
    return out


def start(arguments, *launcher):
    """The tool in processes of its own."""
    return subprocess.Popen(
        [sys.executable, *launcher, str(TOOL), *arguments],
        env=dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=str(ROOT)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def count_done(out) -> int:
    path = Path(f'{out}.parts/rank0.jsonl')
    return path.read_text().count('\n[') if path.exists() else 0


def test_file_is_coco_s(uninterrupted, generated_people):
    """Every image in turn, its people by falling score, inside the image, rounded."""
    content = json.loads((generated_people / 'annotations/train.json').read_text())
    found = json.loads(uninterrupted.read_text())
    order = [image['id'] for image in content['images']]
    ranks = [order.index(person['image_id']) for person in found]
    assert ranks == sorted(ranks) and len(set(ranks)) == 12
    assert len(found) > 12 * 50
    for person, after in zip(found, found[1:], strict=False):
        assert person['category_id'] == 1 and 0.3 < person['score'] <= 1
        x, y, w, h = person['bbox']
        assert x >= 0 and y >= 0 and x + w < 160.02 and y + h < 120.02
        assert person['bbox'] == [round(value, 2) for value in person['bbox']]
        assert person['score'] == round(person['score'], 5)
        same = person['image_id'] == after['image_id']
        assert not same or person['score'] >= after['score']
    assert not Path(f'{uninterrupted}.parts').exists()


@pytest.mark.slow
def test_killed_and_started_again(uninterrupted, tool, arguments, tmp_path):
    """Nothing is done twice, nothing lost, and no unfinished file is shown."""
    out = tmp_path / 'found.json'
    with start(arguments(out)) as process:
        while count_done(out) < 2 and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    done = count_done(out)
    assert 2 <= done < 12 and not out.exists()
    with open(f'{out}.parts/rank0.jsonl', 'a') as journal:
        journal.write('\n[7,[[1.0,2.0')  # as a kill while writing leaves it
    tool.plan(tool.parse_args(arguments(out)), *inputs(tool, arguments(out)))
    left = json.loads(Path(f'{out}.parts/images.json').read_text())['images']
    assert len(left) == 12 - done
    tool.main(arguments(out))
    assert out.read_bytes() == uninterrupted.read_bytes()


def inputs(tool, arguments):
    args = tool.parse_args(arguments)
    images, _ = tool.list_images(args.ann, args.images, args.category)
    return tool.load_config(args), images


@pytest.mark.full
@pytest.mark.parametrize('processes', [1, 2])
def test_random_moments(uninterrupted, arguments, tmp_path, processes):
    """25 kills: the file is the undisturbed one's, and no image is done twice."""
    rng, kills, files = random.Random(processes), 0, 0
    options = dict(launcher='pytorch') if processes > 1 else {}
    with fork_server(tmp_path / 'output.txt') as run:
        begin = time.monotonic()
        call = arguments(tmp_path / 'first.json', **options)
        assert run('detect_people', call, processes=processes) == [0] * processes
        seconds = time.monotonic() - begin
        while kills < 25:
            out, begin = tmp_path / f'{files}.json', time.monotonic()
            moment = rng.uniform(seconds / 3, seconds)
            name = rng.choice(['SIGKILL', 'SIGTERM'])
            codes = run(
                'detect_people',
                arguments(out, **options),
                processes=processes,
                kill=(name, moment, rng.randrange(processes)),
            )
            parts = Path(f'{out}.parts').glob('*.jsonl')
            done = [image for part in parts for image, _ in read_json_lines(part)]
            assert len(set(done)) == len(done)
            if codes == [0] * processes:
                assert out.read_bytes() == uninterrupted.read_bytes()
                assert not Path(f'{out}.parts').exists()
                files += 1
                # the machine may have become faster, and kills too late
                seconds = min(seconds, time.monotonic() - begin)
            else:
                kills += 1
                # written, or not yet, but nothing between the two
                if out.exists():
                    assert out.read_bytes() == uninterrupted.read_bytes()
                    files += 1
    print(f'{kills} kills, {files} files')
    assert files > 1


def test_killed_before_the_file_was_written(uninterrupted, tool, arguments, tmp_path):
    """All images are in the journal: no model is needed any more."""
    out = tmp_path / 'found.json'
    args = tool.parse_args(arguments(out))
    tool.plan(args, *inputs(tool, arguments(out)))
    people = {}
    for person in json.loads(uninterrupted.read_text()):
        rows = people.setdefault(person['image_id'], [])
        rows.append([*person['bbox'], person['score']])
    lines = [json.dumps(item) for item in people.items()]
    Path(f'{out}.parts/rank0.jsonl').write_text('\n'.join(lines))
    tool.main(arguments(out))
    assert out.read_bytes() == uninterrupted.read_bytes()


@pytest.mark.slow
def test_two_processes(uninterrupted, arguments, tmp_path, generated_people):
    """11 images for two processes: no image is padded in, and none is lost."""
    out, ann = tmp_path / 'found.json', tmp_path / 'ann.json'
    content = json.loads((generated_people / 'annotations/train.json').read_text())
    content['images'] = content['images'][:11]
    ann.write_text(json.dumps(content))
    port = str(21000 + os.getpid() % 20000)
    launcher = ['-m', 'torch.distributed.run', '--nproc_per_node=2']
    launcher += ['--master_port', port]
    with start(arguments(out, ann=ann, launcher='pytorch'), *launcher) as process:
        _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    last = content['images'][-1]['id'] + 1
    expected = json.loads(uninterrupted.read_text())
    assert json.loads(out.read_text()) == [
        person for person in expected if person['image_id'] != last
    ]


def test_does_not_mix_models(tool, arguments, tmp_path):
    """What another checkpoint found so far is not taken over."""
    out = tmp_path / 'found.json'
    args = tool.parse_args(arguments(out))
    other = tmp_path / 'other.pth'
    other.write_bytes(Path(args.checkpoint).read_bytes())
    for checkpoint in (other, args.checkpoint):  # without detections there is no harm
        call = arguments(out, checkpoint=checkpoint)
        tool.plan(tool.parse_args(call), *inputs(tool, call))
    Path(f'{out}.parts/rank0.jsonl').write_text('\n[1,[]]')
    with pytest.raises(SystemExit, match='holds detections of another checkpoint;'):
        tool.main(arguments(out, checkpoint=other))


def broken(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(json.dumps(content))
    return path


@pytest.mark.full
def test_broken_image_is_named_and_the_rest_goes_on(
    uninterrupted, tool, arguments, tmp_path, generated_people
):
    """No file of detections without it; mended, the same command ends as it should."""
    folder = tmp_path / 'dös 图 %20'
    folder.mkdir()
    for path in (generated_people / 'images/train').iterdir():
        (folder / path.name).symlink_to(path)
    image = folder / '000003.jpg'
    content = image.read_bytes()
    image.unlink()
    image.write_bytes(content[:-50])
    before = snapshot(folder)
    out = tmp_path / 'found.json'
    with pytest.raises(SystemExit, match=f'{image}: is cut off$'):
        tool.main(arguments(out, images=folder))
    assert not out.exists()
    assert snapshot(folder) == before  # nothing is written beside the data
    image.write_bytes(content)
    tool.main(arguments(out, images=folder))
    assert json.loads(out.read_text()) == json.loads(uninterrupted.read_text())


def test_detections_have_the_category_of_the_file(
    uninterrupted, tool, arguments, tmp_path, generated_people
):
    content = json.loads((generated_people / 'annotations/train.json').read_text())
    content['images'] = content['images'][:1]
    for annotation in content['annotations']:
        annotation['category_id'] = 3
    content['categories'] = [dict(id=1, name='box'), dict(id=3, name='cat')]
    ann, out = broken(tmp_path, 'ann.json', content), tmp_path / 'found.json'
    tool.main(arguments(out, ann=ann))
    expected = json.loads(uninterrupted.read_text())
    assert json.loads(out.read_text()) == [
        dict(person, category_id=3)
        for person in expected
        if person['image_id'] == content['images'][0]['id']
    ]


def test_one_of_several_categories_is_named(
    tool, arguments, tmp_path, generated_people
):
    content = json.loads((generated_people / 'annotations/train.json').read_text())
    content['annotations'][0]['category_id'] = 7
    content['categories'] = [dict(id=1, name='dog'), dict(id=7, name='cat')]
    ann = broken(tmp_path, 'ann.json', content)
    with pytest.raises(SystemExit, match=r"found 1 \('dog'\), 7 \('cat'\); choose one"):
        tool.main(arguments(tmp_path / 'found.json', ann=ann))
    images = generated_people / 'images/train'
    assert tool.list_images(str(ann), str(images), 'cat')[1] == 7


@pytest.mark.parametrize(
    'content, message',
    [
        (
            dict(images=[dict(id=1)], annotations=[3]),
            "ann.json: annotation number 0: field 'category_id' is missing",
        ),
        (
            dict(images=[dict(id=1)], categories=[dict(id='a', name='b')]),
            "ann.json: category id 'a': 'id' should be int",
        ),
        ([], 'ann.json: should be a JSON object'),
        (dict(images=[dict(id=1)]), "ann.json: image id 1: field 'width' is missing"),
        (
            dict(images=[dict(id=1, width=9, height=9, file_name='a.jpg')]),
            'ann.json: 1 of 1 images do not exist, among them .*a.jpg; check --images',
        ),
    ],
)
def test_faulty_annotations(tool, arguments, tmp_path, content, message):
    ann = broken(tmp_path, 'ann.json', content)
    with pytest.raises(SystemExit, match=message):
        tool.main(arguments(tmp_path / 'found.json', ann=ann))


def test_faulty_arguments(tool, arguments, uninterrupted, tmp_path):
    """One sentence each: output, checkpoint and config."""
    tool.main([*arguments(uninterrupted), '--exist-ok'])
    with pytest.raises(SystemExit, match='exists; remove it'):
        tool.main(arguments(uninterrupted))
    out = tmp_path / 'found.json'
    with pytest.raises(SystemExit, match='none.pth: there is no such checkpoint'):
        tool.main(arguments(out, checkpoint=tmp_path / 'none.pth'))
    pose = ROOT / 'configs/demo/td-hm_res18-1deconv_1xb32-16e_generated-128x96.py'
    with pytest.raises(SystemExit, match='`default_scope` is not mmdet'):
        tool.main(arguments(out, config=pose))


def test_checkpoint_of_another_model(tool, arguments, tmp_path):
    """MMEngine only warns of weights that are missing; here it is an error."""
    checkpoint = tmp_path / 'other.pth'
    torch.save(dict(state_dict={'head.weight': torch.zeros(1)}), checkpoint)
    with pytest.raises(SystemExit, match=r'other\.pth does not fit: \d+ weights'):
        tool.main(arguments(tmp_path / 'found.json', checkpoint=checkpoint))
    assert not (tmp_path / 'found.json').exists()
    torch.save([1], checkpoint)
    with pytest.raises(SystemExit, match=r'other\.pth holds no weights'):
        tool.main(arguments(tmp_path / 'other.json', checkpoint=checkpoint))
