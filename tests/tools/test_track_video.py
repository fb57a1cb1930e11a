"""From a video to tracked poses, in one go or in several."""

import json
import os
import signal
from threading import Condition

import cv2
import numpy as np
import pytest
import torch
from conftest import load_tool, snapshot
from rectangles import make_setting

from ogn_mm.apis import FrameReader, video_io
from ogn_mm.evaluation.functional.posetrack_files import read_posetrack
from ogn_mm.structures.keypoint import POSETRACK18_JOINTS


@pytest.fixture(scope='module')
def tool():
    return load_tool('track_video')


@pytest.fixture(scope='module')
def setting(tmp_path_factory):
    return make_setting(tmp_path_factory.mktemp('track_video'), 9)


def run(tool, setting, out, *arguments, frames=None):
    config, folder, checkpoint = setting
    tool.main(
        [*map(str, (frames or folder, config, checkpoint)), '--out', str(out)]
        + [*arguments, '--device', 'cpu']
    )
    return json.loads((out / 'tracks.json').read_text())


def tracks(content):
    """By identity, the left edges of its boxes by frame."""
    found = {}
    for person in content['annotations']:
        found.setdefault(person['track_id'], {})[person['image_id']] = person['bbox'][0]
    return found


def read_ahead_of(tool, monkeypatch):
    """Let each frame, once tracked, wait until two more have been read."""
    read_image, describe_frame = video_io.read_image, tool.describe_frame
    read, changed = [], Condition()

    def noted(path):
        with changed:
            read.append(path)
            changed.notify()
        return read_image(path)

    def waiting(frame, found):
        with changed:
            assert changed.wait_for(lambda: len(read) >= min(frame.index + 3, 9), 60)
        return describe_frame(frame, found)

    monkeypatch.setattr(video_io, 'read_image', noted)
    monkeypatch.setattr(tool, 'describe_frame', waiting)


def test_video_and_json(tool, setting, tmp_path, monkeypatch):
    """Two identities through their crossing; the official layout; a picture a frame.

    Frames are read while those before them are with the networks.
    """
    read_ahead_of(tool, monkeypatch)
    content = run(tool, setting, tmp_path, '--keypoint-thr', '0')
    found = tracks(content)
    assert len(found) == 2
    assert sorted(round(track[0]) for track in found.values()) == [10, 90]
    for track in found.values():
        if round(track[0]) == 10:
            assert track[8] == pytest.approx(58, abs=3)
    (category,) = content['categories']
    assert category['keypoints'] == list(POSETRACK18_JOINTS)
    assert [image['file_name'] for image in content['images']] == [
        f'000001_mpii_test/{t:06d}.jpg' for t in range(9)
    ]
    people = read_posetrack(tmp_path / 'tracks.json', truth=False)
    assert people.num_frames == 9 and people.exist.all()
    assert len(list(FrameReader(str(tmp_path / 'tracked.mp4')))) == 9


def test_goes_on_after_an_interruption(tool, setting, tmp_path, monkeypatch):
    """What a stopped and resumed run gives is what an undisturbed one gives."""
    expected = run(tool, setting, tmp_path / 'a', '--no-video')
    describe, seen = tool.describe_frame, []

    def interrupted(frame, found):
        seen.append(frame.index)
        if len(seen) in (6, 9):
            raise KeyboardInterrupt
        return describe(frame, found)

    monkeypatch.setattr(tool, 'describe_frame', interrupted)
    arguments = ['--no-video', '--save-every', '2']
    for _ in range(2):
        with pytest.raises(SystemExit, match='the same command goes on'):
            run(tool, setting, tmp_path / 'b', *arguments)
        with (tmp_path / 'b/tracks.jsonl').open('a') as journal:
            journal.write('\n{"frame": 9')  # a kill may leave half a line
    assert run(tool, setting, tmp_path / 'b', *arguments) == expected
    assert seen == [0, 1, 2, 3, 4, 5, 4, 5, 6, 6, 7, 8]
    # a further time there is nothing left to do
    assert run(tool, setting, tmp_path / 'b', *arguments) == expected
    assert len(seen) == 12
    other = 'was written with another cfg_options, model; choose'
    with pytest.raises(SystemExit, match=other):
        run(tool, setting, tmp_path / 'b', '--cfg-options', 'model.tracker.max_gap=3')
    # also if the config's file has been edited
    text = setting[0].read_text()
    setting[0].write_text(text.replace('weight=3', 'weight=2'))
    try:
        with pytest.raises(SystemExit, match='with another model; choose another'):
            run(tool, setting, tmp_path / 'b', *arguments)
    finally:
        setting[0].write_text(text)


def test_preempted(tool, setting, tmp_path, monkeypatch):
    """Nothing is done twice: the frame at hand is finished and is a safe point."""
    expected = run(tool, setting, tmp_path / 'a', '--no-video')
    describe, seen = tool.describe_frame, []

    def preempted(frame, found):
        seen.append(frame.index)
        if len(seen) in (3, 7):
            os.kill(os.getpid(), signal.SIGTERM)
        return describe(frame, found)

    monkeypatch.setattr(tool, 'describe_frame', preempted)
    before = signal.getsignal(signal.SIGTERM)
    for _ in range(2):
        with pytest.raises(SystemExit) as end:
            run(tool, setting, tmp_path / 'b', '--no-video')
        assert end.value.code == 75
    assert run(tool, setting, tmp_path / 'b', '--no-video') == expected
    assert seen == list(range(9))
    assert signal.getsignal(signal.SIGTERM) is before


def test_broken_frame_is_reported_and_skipped(tool, setting, tmp_path, capsys):
    folder = tmp_path / 'dös 图 %20 #' / 'frames'
    folder.mkdir(parents=True)
    for path in setting[1].iterdir():
        (folder / path.name).symlink_to(path)
    (folder / '000004.jpg').unlink()
    (folder / '000004.jpg').write_bytes(b'nothing')
    before = snapshot(folder)
    content = run(tool, setting, tmp_path / 'out', frames=folder)
    assert snapshot(folder) == before  # nothing is written beside the data
    assert 'frame 4, frames/000004.jpg, cannot be read' in capsys.readouterr().out
    assert len(content['images']) == 9
    found = tracks(content)
    assert len(found) == 2
    assert all(4 not in track and 8 in track for track in found.values())
    assert len(list(FrameReader(str(tmp_path / 'out/tracked.mp4')))) == 8


def test_video_that_is_cut_off(tool, setting, tmp_path, capsys):
    """Its frames are tracked, and it is told that there should be more."""
    video = tmp_path / 'ein film.avi'
    frames = [cv2.imread(str(path)) for path in sorted(setting[1].iterdir())]
    writer = cv2.VideoWriter(
        str(video), cv2.VideoWriter_fourcc(*'MJPG'), 10, frames[0].shape[1::-1]
    )
    for frame in frames:
        writer.write(frame)
    writer.release()
    whole = video.read_bytes()
    video.write_bytes(whole[: len(whole) * 2 // 3])
    content = run(tool, setting, tmp_path / 'out', frames=video)
    count = len(content['images'])
    assert 3 < count < 9
    assert f'{video}: ends after {count} frames, of 9' in capsys.readouterr().out


class Camera:
    """Gives a folder's frames, the second broken, then the user presses Ctrl-C."""

    def __init__(self, folder):
        self.paths = sorted(folder.iterdir())

    def isOpened(self):
        return True

    def get(self, _):
        return 0.0

    def grab(self):
        if len(self.paths) < 5:
            raise KeyboardInterrupt
        return True

    def retrieve(self):
        path = self.paths.pop(0)
        if path.stem == '000001':
            return False, None
        return True, cv2.imread(str(path))


def test_webcam_until_ctrl_c(tool, setting, tmp_path, monkeypatch, capsys):
    """What was seen is tracked, recorded and drawn; it is not overwritten."""
    real = cv2.VideoCapture
    monkeypatch.setattr(
        'ogn_mm.apis.video_io.cv2.VideoCapture',
        lambda source: Camera(setting[1]) if source == 0 else real(source),
    )
    content = run(tool, setting, tmp_path, frames='webcam')
    assert 'webcam: frame 1, webcam/000001.jpg, cannot be read' in (
        capsys.readouterr().out
    )
    assert len(content['images']) == 5
    found = tracks(content)
    assert [sorted(track) for track in found.values()] == [[0, 2, 3, 4]] * 2
    for name in ('recording.mp4', 'tracked.mp4'):
        assert len(list(FrameReader(str(tmp_path / name)))) == 4
    # the last picture has the boxes of the last frame: the red one's right border
    *_, last = FrameReader(str(tmp_path / 'tracked.mp4'))
    *_, plain = FrameReader(str(tmp_path / 'recording.mp4'))
    changed = np.abs(last.image.astype(int) - plain.image).max(axis=2) > 60
    assert changed[20:60, 54].mean() > 0.8
    with pytest.raises(SystemExit, match='choose another --out for the webcam'):
        run(tool, setting, tmp_path, frames='webcam:0')


def test_short_tracks_are_left_out(tool, setting, tmp_path):
    content = run(tool, setting, tmp_path, '--no-video', '--min-length', '10')
    assert content['annotations'] == [] and len(content['images']) == 9


def test_errors_are_one_sentence(tool, setting, tmp_path, monkeypatch):
    """They name the argument, or the config and its field; nothing is begun."""
    config, frames, checkpoint = setting
    text, number = config.read_text(), iter(range(100))

    def changed(*replaced):
        path = tmp_path / f'{next(number)}.py'
        path.write_text(text.replace(*replaced))
        return path

    def written(content):
        path = tmp_path / f'{next(number)}.py'
        path.write_text(content)
        return path

    lacking, damaged = tmp_path / 'lacking.pth', tmp_path / 'damaged.pth'
    torch.save({'head.final_layer.bias': torch.zeros(17)}, lacking)
    damaged.write_bytes(b'nothing')
    file, empty = tmp_path / 'file', tmp_path / 'empty'
    file.write_text('nothing')
    empty.mkdir()
    wholebody = "metainfo=dict(from_file='configs/_base_/datasets/coco_wholebody.py')"
    no_detector = changed(f"detector=dict(config='{frames.parent}/detector.py'),", '')
    monkeypatch.delenv('DISPLAY', raising=False)
    monkeypatch.delenv('WAYLAND_DISPLAY', raising=False)
    for arguments, message in (
        ([tmp_path / 'x.mp4', config], 'x.mp4: there is no such file'),
        ([file, config], 'file: cannot be opened as a video'),
        ([empty, config], 'empty: holds no image'),
        (['webcam:x', config], 'webcam:x: should be webcam:NUMBER'),
        ([frames, tmp_path / 'x.py'], 'x.py: there is no such config'),
        ([frames, written('x = 1')], r'py: the config has no `model`'),
        ([frames, written('model = dict(')], r'py: .* was never closed'),
        ([frames, written("model = dict(type='X')")], 'py: `model` is no VideoPose'),
        ([frames, changed('weight=3', 'weight=-3')], 'py: BoxIoU: weight must be a'),
        ([frames, changed('tracker=', 'x=3, tracker=')], r'py: .*see `model\.x`'),
        ([frames, changed('min_score', 'min')], r'py: .*see `model\.propagation\.min'),
        ([frames, changed('BoxIoU', 'IoU')], 'py: PoseTracker: IoU is not in the'),
        ([frames, no_detector], 'takes people from annotations, which INPUT does not'),
        ([frames, changed('tracker=', f'{wholebody}, tracker=')], "neither COCO's nor"),
        ([frames, config], r'the pose_estimator would have random weights: name its'),
        ([frames, config, lacking], 'does not fit: .* are missing'),
        ([frames, config, damaged], 'damaged.pth was not loaded'),
        ([frames, config, '--save-every', '0'], '--save-every 0: should be at least 1'),
        ([frames, config, '--fps', '0'], '--fps 0.0: should be from 0.01'),
        ([frames, config, '--show'], '--show: there is no display'),
        ([frames, config, checkpoint, '--device', 'x'], '--device x: Expected one of'),
        ([frames, config, '--out', file], 'file: --out should be a folder'),
    ):
        with pytest.raises(SystemExit, match=message) as error:
            tool.main(['--out', str(tmp_path / 'out'), *map(str, arguments)])
        assert '\n' not in error.value.code
    assert not (tmp_path / 'out').exists()


def test_nothing_that_can_be_read(tool, setting, tmp_path):
    """A folder of that name, a torn picture, a video of no frames."""
    (tmp_path / 'frames/0.jpg').mkdir(parents=True)
    (tmp_path / 'frames/1.jpg').write_bytes(b'nothing')
    with pytest.raises(SystemExit, match='frames: no frame could be read'):
        run(tool, setting, tmp_path / 'out', frames=tmp_path / 'frames')
