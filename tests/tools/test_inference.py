"""From images to a COCO file of poses, in one go or in several."""

import functools
import http.server
import json
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from conftest import load_tool, snapshot
from mmdet.apis import DetInferencer
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from mmpose.datasets import PoseTrack18Dataset
from pycocotools.coco import COCO
from tiny_detector import load_tiny_keypoint_rcnn

from ogn_mm.apis import ogn_inferencer
from ogn_mm.datasets import CocoKeypointDetectionDataset

ROOT = Path(__file__).parents[2]
POSE = ROOT / 'configs/demo/td-ogn_res18-1deconv_1xb32-16e_generated-128x96.py'
RAW = 'faster-rcnn_r18-half_fpn_1xb4-5e_generated-crowds-240x320-raw.py'
KEYPOINT_RCNN = ROOT / 'configs/ogn_mask_rcnn/ogn-mask-rcnn_r50_fpn-rc_8xb2-1x_coco.py'
DETECTOR = f"""
_base_ = '{ROOT}/configs/person_detector/{RAW}'
model = dict(test_cfg=dict(rpn=dict(nms_pre=30), rcnn=dict(score_thr=0.3)))
"""


@pytest.fixture(scope='module')
def tool():
    return load_tool('inference')


def save_untrained(config, path, scope):
    """A checkpoint of a config's model as it is initialised."""
    with DefaultScope.overwrite_default_scope(scope):
        torch.manual_seed(0)
        model = MODELS.build(Config.fromfile(config).model)
        model.init_weights()
    torch.save(dict(state_dict=model.state_dict(), meta={}), path)
    return str(path)


@pytest.fixture(scope='module')
def pose(tmp_path_factory):
    path = tmp_path_factory.mktemp('pose') / 'ogn.pth'
    return [str(POSE), save_untrained(POSE, path, 'mmpose')]


@pytest.fixture(scope='module')
def detector(tmp_path_factory):
    folder = tmp_path_factory.mktemp('detector')
    config = folder / 'config.py'
    config.write_text(DETECTOR)
    return [str(config), save_untrained(config, folder / 'model.pth', 'mmdet')]


@pytest.fixture(scope='module')
def one_stage(tmp_path_factory):
    """Mask R-CNN with keypoints."""
    folder = tmp_path_factory.mktemp('one_stage')
    config = folder / 'config.py'
    load_tiny_keypoint_rcnn(KEYPOINT_RCNN).dump(config)
    return [str(config), save_untrained(config, folder / 'model.pth', 'mmdet')]


@pytest.fixture(scope='module')
def images(generated_people):
    return generated_people / 'images/val'


def read(out):
    return json.loads((out / 'poses.json').read_text())


@pytest.mark.parametrize('boxes', ['gbg', 'nms'])
def test_detector_and_pose_network(tool, pose, detector, images, tmp_path, boxes):
    """COCO's own tools read the result; pictures lie beside it."""
    arguments = ['--detector', *detector, '--boxes', boxes, '--draw-thr', '0']
    tool.main([str(images), *pose, *arguments, '--out', str(tmp_path)])
    names = sorted(path.name for path in images.iterdir())
    coco = COCO(tmp_path / 'poses.json')
    assert [image['file_name'] for image in coco.dataset['images']] == names
    poses = coco.dataset['annotations']
    assert coco.loadRes(poses).anns.keys() == coco.anns.keys() != set()
    for person in poses:
        assert len(person['keypoints']) == 51
        assert 0 <= person['score'] <= 1
    (category,) = coco.dataset['categories']
    assert len(category['keypoints']) == 17 and len(category['skeleton']) == 19
    for name in names:
        drawn = cv2.imread(str(tmp_path / 'pictures' / name))
        original = cv2.imread(str(images / name))
        assert drawn.shape == original.shape and (drawn != original).any()


ROI = """
_base_ = 'POSE'
people = dict(type='CocoDataset')
train_dataloader = dict(
    dataset=dict(_delete_=True, type='ImageROIDataset', dataset=people))
"""


@pytest.mark.parametrize('name', ['bare', 'prefixed', 'no meta', 'damaged'])
def test_checkpoints_that_say_nothing(tool, pose, images, tmp_path, name):
    """The keypoints are those of the config's data set, whatever it is trained on."""
    config, path = tmp_path / 'roi.py', tmp_path / f'{name}.pth'
    config.write_text(ROI.replace('POSE', pose[0]))
    weights = torch.load(pose[1])['state_dict']
    prefixed = {f'module.{key}': value for key, value in weights.items()}
    contents = {
        'bare': weights,
        'prefixed': dict(state_dict=prefixed),
        'no meta': dict(state_dict=weights),
        'damaged': dict(state_dict=weights, meta=None),
    }
    torch.save(contents[name], path)
    image = min(images.iterdir())
    tool.main([str(image), str(config), str(path), '--out', str(tmp_path / 'out')])
    tool.main([str(image), *pose, '--out', str(tmp_path / 'pose')])
    assert read(tmp_path / 'out') == read(tmp_path / 'pose')


def test_detectors_that_say_nothing(tool, pose, detector, images, tmp_path):
    path = tmp_path / 'detector.pth'
    torch.save(torch.load(detector[1])['state_dict'], path)
    image = str(min(images.iterdir()))
    for name, checkpoint in (('a', detector[1]), ('b', path)):
        arguments = ['--detector', detector[0], str(checkpoint)]
        tool.main([image, *pose, *arguments, '--out', str(tmp_path / name)])
    assert read(tmp_path / 'a') == read(tmp_path / 'b')


def test_one_network_is_of_the_keypoints_it_was_trained_on(
    tool, one_stage, images, tmp_path
):
    """A config of COCO has weights of PoseTrack: their names are written."""
    weights = torch.load(one_stage[1])['state_dict']
    metainfo = CocoKeypointDetectionDataset._load_metainfo(PoseTrack18Dataset.METAINFO)
    contents = dict(
        posetrack18=dict(state_dict=weights, meta=dict(dataset_meta=metainfo)),
        coco=dict(state_dict=weights, meta=None),
    )
    image = str(min(images.iterdir()))
    for name, content in contents.items():
        path, out = tmp_path / f'{name}.pth', tmp_path / name
        torch.save(content, path)
        tool.main([image, one_stage[0], str(path), '--out', str(out)])
        names = read(out)['categories'][0]['keypoints']
        assert ('head_bottom' in names) == (name == 'posetrack18')


def test_one_network_for_boxes_and_poses(tool, one_stage, images, tmp_path):
    """The network's own predictions in COCO's format, and pictures; frames alike."""
    out = tmp_path / 'out'
    tool.main([str(images), *one_stage, '--draw-thr', '0', '--out', str(out)])
    coco = COCO(out / 'poses.json')
    network = DetInferencer(*one_stage, device='cpu', show_progress=False)
    for image in coco.dataset['images']:
        path = str(images / image['file_name'])
        found = network(path, return_datasamples=True)['predictions'][0].pred_instances
        found = found[found.scores.argsort(descending=True, stable=True)]
        poses = coco.imgToAnns[image['id']]
        assert len(poses) == len(found) == 5
        assert [pose['score'] for pose in poses] == sorted(
            [pose['score'] for pose in poses], reverse=True
        )
        for own, other in zip(poses, found, strict=True):
            keypoints = np.array(own['keypoints']).reshape(17, 3)
            np.testing.assert_allclose(keypoints[:, :2], other.keypoints[0], atol=1e-2)
            np.testing.assert_allclose(
                keypoints[:, 2], other.keypoint_scores[0], atol=1e-3
            )
            assert own['score'] == pytest.approx(other.scores.item(), abs=1e-4)
        drawn = cv2.imread(str(out / 'pictures' / image['file_name']))
        original = cv2.imread(path)
        assert drawn.shape == original.shape and (drawn != original).any()

    video = write_video(tmp_path / 'video.mp4', cv2.imread(path), 2)
    tool.main([video, *one_stage, '--out', str(tmp_path / 'frames')])
    assert len(read(tmp_path / 'frames')['images']) == 2
    assert (tmp_path / 'frames/pictures/video.mp4').stat().st_size > 0
    with pytest.raises(SystemExit, match=r'config\.py: finds people itself'):
        tool.main([video, *one_stage, '--detector', *one_stage, '--out', str(out)])


@pytest.mark.parametrize('kind', ['pose', 'one_stage'])
def test_poses_have_the_category_of_the_training(tool, images, tmp_path, request, kind):
    config, checkpoint = request.getfixturevalue(kind)
    content = torch.load(checkpoint, weights_only=True)
    meta = CocoKeypointDetectionDataset._load_metainfo()
    category = dict(id=4, name='cat')
    # as data sets of MMPose and of MMDetection leave them
    known = dict(CLASSES=[category]) if kind == 'pose' else dict(category=category)
    content['meta'] = dict(dataset_meta=meta | known)
    torch.save(content, tmp_path / 'cats.pth')
    image = str(sorted(images.iterdir())[0])
    tool.main([image, config, str(tmp_path / 'cats.pth'), '--out', str(tmp_path)])
    found = read(tmp_path)
    (described,) = found['categories']
    assert (described['id'], described['name']) == (4, 'cat')
    assert {pose['category_id'] for pose in found['annotations']} == {4}


def test_mmdetection_s_inferencer_draws_boxes_and_skeletons(
    one_stage, images, tmp_path
):
    """`DetInferencer`: pictures and boxes in files, keypoints in data samples."""
    names = sorted(path.name for path in images.iterdir())
    pictures = []
    for threshold in (0.0, 1.1):
        network = DetInferencer(*one_stage, device='cpu', show_progress=False)
        network.visualizer.keypoint_thr = threshold
        out = tmp_path / f'{threshold}'
        results = network(
            str(images),
            out_dir=str(out),
            no_save_pred=False,
            pred_score_thr=0.0,
            return_datasamples=not threshold,
        )
        for name in names:
            pictures.append(cv2.imread(str(out / 'vis' / name)))
        if threshold:
            boxes = json.loads((out / f'preds/{Path(names[0]).stem}.json').read_text())
            assert len(boxes['bboxes']) == len(boxes['scores']) == 5
        else:
            for sample in results['predictions']:
                assert sample.pred_instances.keypoints.shape == (5, 17, 2)
    for name, with_poses, boxes_alone in zip(
        names, pictures, pictures[len(names) :], strict=False
    ):
        original = cv2.imread(str(images / name))
        assert (boxes_alone != original).any()
        assert (with_poses != boxes_alone).any()


def write_video(path, pixels, frames):
    code = cv2.VideoWriter_fourcc(*'mp4v')
    writer = cv2.VideoWriter(str(path), code, 5, pixels.shape[1::-1])
    for _ in range(frames):
        writer.write(pixels)
    writer.release()
    return str(path)


def test_goes_on_after_an_interruption(tool, pose, images, tmp_path, monkeypatch):
    """The rest is done, nothing twice, and the file is that of an undisturbed run."""
    names, describe = [], tool.describe

    def interrupted(sample):
        names.append(Path(sample.img_path).name)
        if len(names) == 3:
            raise KeyboardInterrupt
        return describe(sample)

    monkeypatch.setattr(tool, 'describe', interrupted)
    arguments = [str(images), *pose, '--no-pictures', '--out', str(tmp_path / 'a')]
    with pytest.raises(KeyboardInterrupt):
        tool.main(arguments)
    assert not (tmp_path / 'a/poses.json').exists()
    with (tmp_path / 'a/poses.jsonl').open('a') as journal:
        journal.write('\n{"file_name": "00')  # a kill may leave half a line
    tool.main(arguments)
    # only the image at hand was done again
    assert len(names) == len(list(images.iterdir())) + 1
    tool.main([*arguments[:-1], str(tmp_path / 'b')])
    assert read(tmp_path / 'a') == read(tmp_path / 'b')
    assert not (tmp_path / 'a/pictures').exists()

    # a third time there is nothing left to do
    before = len(names)
    tool.main(arguments)
    assert len(names) == before
    assert read(tmp_path / 'a') == read(tmp_path / 'b')

    with pytest.raises(SystemExit, match='was written with another oks_thr'):
        tool.main([*arguments, '--oks-thr', '0.5'])


def test_video(tool, pose, images, tmp_path):
    pixels = cv2.imread(str(min(images.iterdir())))
    video = write_video(tmp_path / 'video.mp4', pixels, 3)
    tool.main([video, *pose, '--out', str(tmp_path / 'out')])
    found = read(tmp_path / 'out')
    assert [image['file_name'] for image in found['images']] == [
        f'{i:06d}.jpg' for i in range(3)
    ]
    assert len(found['annotations']) == 3
    assert (tmp_path / 'out/pictures/video.mp4').stat().st_size > 0


class Webcam:
    """Stands in for `cv2.VideoCapture`: three frames, then Ctrl-C or the end."""

    interrupted = False
    opens = True

    def __init__(self, number):
        self.frames = iter(range(3)) if number == 2 else iter(())

    def isOpened(self):
        return self.opens

    def get(self, which):
        sizes = {cv2.CAP_PROP_FRAME_WIDTH: 160.0, cv2.CAP_PROP_FRAME_HEIGHT: 120.0}
        return sizes.get(which, 5.0)

    def read(self):
        number = next(self.frames, None)
        if number is not None:
            return True, np.full((120, 160, 3), 40 * number, np.uint8)
        if self.interrupted:
            raise KeyboardInterrupt
        return False, None


@pytest.mark.parametrize('interrupted', [False, True])
def test_webcam(tool, pose, tmp_path, monkeypatch, interrupted):
    """No window is opened, for none was asked for."""
    monkeypatch.setattr(Webcam, 'interrupted', interrupted)
    film = cv2.VideoCapture
    monkeypatch.setattr(cv2, 'VideoCapture', Webcam)
    tool.main(['webcam:2', *pose, '--out', str(tmp_path)])
    found = read(tmp_path)
    assert [image['file_name'] for image in found['images']] == [
        f'{i:06d}.jpg' for i in range(3)
    ]
    assert len(found['annotations']) == 3
    drawn = film(str(tmp_path / 'pictures/webcam.mp4'))
    assert drawn.get(cv2.CAP_PROP_FRAME_COUNT) == 3


def test_webcam_that_is_not_there(tool, pose, tmp_path, monkeypatch):
    monkeypatch.setattr(cv2, 'VideoCapture', Webcam)
    monkeypatch.setattr(Webcam, 'opens', False)
    for name, message in (
        ('webcam:0', 'webcam:0: the camera cannot be opened'),
        ('webcam:front', 'format "webcam:id", but got "webcam:front"'),
    ):
        with pytest.raises(SystemExit, match=f'^error: .*{message}'):
            tool.main([name, *pose, '--out', str(tmp_path)])


def test_checkpoint_from_an_address(tool, pose, images, tmp_path, monkeypatch):
    """The same poses as with the file; a failed download is one sentence."""
    monkeypatch.setattr(torch.hub, '_hub_dir', str(tmp_path / 'hub'))
    config, checkpoint = pose
    image = str(min(images.iterdir()))
    folder = Path(checkpoint).parent
    handler = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=str(folder)
    )
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f'http://127.0.0.1:{server.server_port}'
        out = ['--no-pictures', '--out']
        remote = f'{address}/{Path(checkpoint).name}'
        tool.main([image, config, remote, *out, str(tmp_path / 'a')])
        missing = f'{address}/missing.pth'
        with pytest.raises(SystemExit) as error:
            tool.main([image, config, missing, *out, str(tmp_path / 'c')])
        server.shutdown()
    tool.main([image, *pose, *out, str(tmp_path / 'b')])
    assert read(tmp_path / 'a') == read(tmp_path / 'b')
    assert str(error.value).startswith(
        f'error: The checkpoint {missing} was not downloaded: '
    )


def test_faulty_input_is_one_sentence(tool, pose, images, tmp_path):
    out = ['--out', str(tmp_path / 'out')]
    broken = tmp_path / 'broken'
    broken.mkdir()
    (broken / 'a.jpg').write_bytes(b'')
    (broken / 'b.jpg').write_bytes(b'nothing')
    no_config = tmp_path / 'broken.py'
    no_config.write_text('x = (')
    no_weights, other, junk = (tmp_path / f'{name}.pth' for name in ('no', 'o', 'junk'))
    torch.save([1], no_weights)
    torch.save(dict(state_dict={'a': torch.zeros(1)}), other)
    junk.write_bytes(b'junk')
    for arguments, message in (
        ([tmp_path / 'x.jpg', *pose], r'x\.jpg: there is no such file'),
        ([images, pose[0], 'no.pth'], r'no\.pth: there is no such checkpoint'),
        ([images, 'no.py', pose[1]], r'no\.py: there is no such config'),
        ([images, no_config, pose[1]], r'broken\.py: is no config of a model'),
        ([images, pose[0], no_weights], r'no\.pth holds no weights'),
        ([images, pose[0], other], r'o\.pth does not fit: \d+ weights are missing'),
        ([images, pose[0], junk], r'junk\.pth was not loaded: it is damaged'),
        ([images, *pose, '--detector', *pose], 'is not of a detector, but of MMPose'),
        ([broken, *pose], 'broken: no image could be read'),
        ([broken / 'b.jpg', *pose], r'b\.jpg: is not an image'),
    ):
        with pytest.raises(SystemExit, match=f'^error: .*{message}'):
            tool.main([*map(str, arguments), *out])
        assert not (tmp_path / 'out/poses.json').exists()


def test_folder_of_anything(tool, pose, images, tmp_path, capsys):
    """What is an image is done, the rest named; nothing is written beside the data."""
    folder = tmp_path / "dös 图's #1 %20"
    folder.mkdir()
    pixels = cv2.imread(str(min(images.iterdir())))
    content = cv2.imencode('.jpg', pixels)[1].tobytes()
    good = ('a b.jpg', 'wrong ending.gif', '画像.jpg')
    for name in good:
        (folder / name).write_bytes(content)
    (folder / 'link.jpg').symlink_to(folder / 'a b.jpg')
    (folder / 'nowhere.jpg').symlink_to(folder / 'missing')
    (folder / 'cut off.jpg').write_bytes(content[:-100])
    (folder / 'empty.png').write_bytes(b'')
    (folder / 'a folder.png').mkdir()
    (folder / 'drawing.svg').write_text('<svg/>')
    (folder / 'notes.txt').write_text('text')
    before = snapshot(folder)
    tool.main([str(folder), *pose, '--out', str(tmp_path / 'out')])
    assert snapshot(folder) == before
    names = [image['file_name'] for image in read(tmp_path / 'out')['images']]
    assert names == sorted([*good, 'link.jpg'])
    ending = '' if cv2.haveImageWriter('a.gif') else '.jpg'
    for name in ('a b.jpg', f'wrong ending.gif{ending}', '画像.jpg', 'link.jpg'):
        assert (tmp_path / 'out/pictures' / name).stat().st_size > 0
    said = capsys.readouterr().out
    assert 'skipped 5 that cannot be read: ' in said
    for name in ('a folder.png', 'cut off.jpg', 'drawing.svg', 'nowhere.jpg'):
        assert f'{folder}/{name}' in said.partition('that cannot be read: ')[2]


def test_video_that_is_cut_off(tool, pose, images, tmp_path, monkeypatch):
    """Its frames are done, and it is told that there should be more."""
    pixels = cv2.imread(str(min(images.iterdir())))
    video = tmp_path / 'ein film.avi'
    writer = cv2.VideoWriter(
        str(video), cv2.VideoWriter_fourcc(*'MJPG'), 5, pixels.shape[1::-1]
    )
    for _ in range(5):
        writer.write(pixels)
    writer.release()
    whole = video.read_bytes()
    video.write_bytes(whole[: len(whole) // 2])
    said = []
    monkeypatch.setattr(ogn_inferencer, 'print_log', lambda text, *_: said.append(text))
    tool.main([str(video), *pose, '--out', str(tmp_path / 'out')])
    count = len(read(tmp_path / 'out')['images'])
    assert 0 < count < 5
    assert said == [
        f'{video}: ends after {count} frames, of 5 that its header announces'
    ]
    assert (tmp_path / 'out/pictures/ein film.mp4').stat().st_size > 0
