"""Frames from files, in order and ahead; broken ones; videos written."""

import math
import threading

import cv2
import numpy as np
import pytest

from ogn_mm.apis import FrameReader, FrameWriter
from ogn_mm.apis.video_io import read_ahead
from ogn_mm.apis.video_rate import writable_rate


def picture(index):
    return np.full((32, 48, 3), 20 * index, np.uint8)


@pytest.fixture
def video(tmp_path):
    path = str(tmp_path / 'clip.mp4')
    with FrameWriter(path, 10) as writer:
        for index in range(6):
            writer.write(picture(index))
    return path


def test_video(video):
    for start in (0, 4):
        reader = FrameReader(video, start, ahead=2)
        assert (reader.name, reader.fps, reader.total) == ('clip', 10, 6 - start)
        frames = list(reader)
        assert [frame.index for frame in frames] == list(range(start, 6))
        assert frames[-1].name == 'clip/000005.jpg'
        for frame in frames:
            np.testing.assert_allclose(frame.image, picture(frame.index), atol=8)


class FaultyCapture:
    """A video of 6 frames by its header; 1 and 4 are broken, 5 is not there."""

    def __init__(self):
        self.index = -1

    def grab(self):
        self.index += 1
        return self.index != 1 and self.index < 5

    def retrieve(self):
        return (True, picture(self.index)) if self.index != 4 else (False, None)

    def release(self):
        pass


def test_broken_frames_of_a_video(video):
    reader = FrameReader(video)
    reader.capture = FaultyCapture()
    frames = list(reader)
    assert [frame.image is None for frame in frames] == [
        False,
        True,
        False,
        False,
        True,
    ]
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]


def test_folder(tmp_path):
    for index in (1, 0, 3, 10):
        cv2.imwrite(str(tmp_path / f'{index}.png'), picture(index))
    (tmp_path / '2.png').write_bytes(b'nothing')
    (tmp_path / '4.png').mkdir()
    reader = FrameReader(str(tmp_path) + '/')
    assert (reader.name, reader.fps, reader.total) == (tmp_path.name, None, 6)
    frames = list(reader)
    assert [frame.name for frame in frames] == [
        f'{tmp_path.name}/{index}.png' for index in (0, 1, 2, 3, 4, 10)
    ]
    assert frames[2].image is None and frames[4].image is None
    np.testing.assert_array_equal(frames[3].image, picture(3))
    assert [frame.index for frame in FrameReader(str(tmp_path), 5)] == [5]


def test_what_cannot_be_read(tmp_path):
    (tmp_path / 'video.mp4').write_bytes(b'nothing')
    (tmp_path / 'text.txt').write_text('text')
    for name, message in (
        ('video.mp4', 'cannot be opened as a video'),
        ('text.txt', 'cannot be opened as a video'),
    ):
        with pytest.raises(ValueError, match=message):
            FrameReader(str(tmp_path / name))
    for name in ('webcam:', 'webcam:x', 'webcam:-1'):
        with pytest.raises(ValueError, match=f'{name}: should be webcam:NUMBER'):
            FrameReader(name)
    with pytest.raises(FileNotFoundError, match=r'x\.mp4: there is no such file'):
        FrameReader(str(tmp_path / 'x.mp4'))


def test_reading_ahead_is_bounded_and_ends():
    """No more than asked for; errors come through; leaving early ends the thread."""
    taken, reached = [], threading.Event()

    def numbers():
        for number in range(100):
            taken.append(number)
            if number == 4:
                reached.set()
            yield number

    threads = threading.active_count()
    items = read_ahead(numbers(), 3)
    assert next(items) == 0
    # one is out, three wait, one is in the thread's hand
    assert reached.wait(10)
    assert len(taken) == 5
    items.close()
    assert threading.active_count() == threads

    def faulty():
        yield 1
        raise OSError('the disk is gone')

    items = read_ahead(faulty(), 3)
    assert next(items) == 1
    with pytest.raises(OSError, match='the disk is gone'):
        next(items)
    assert list(read_ahead(iter('abc'), 1)) == ['a', 'b', 'c']


def test_writer_takes_frames_of_other_sizes_and_nothing(tmp_path):
    with FrameWriter(str(tmp_path / 'a.mp4'), 5) as writer:
        writer.write(picture(3))
        writer.write(np.zeros((64, 64, 3), np.uint8))
    assert [f.image.shape for f in FrameReader(str(tmp_path / 'a.mp4'))] == [
        (32, 48, 3)
    ] * 2
    with FrameWriter(str(tmp_path / 'b.mp4'), 5):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ['a.mp4']


def test_writer_publishes_what_is_complete(tmp_path):
    path = tmp_path / 'a.mp4'
    writer = FrameWriter(str(path), 5)
    writer.write(picture(3))
    writer.__exit__(RuntimeError, RuntimeError(), None)
    assert [found.name for found in tmp_path.iterdir()] == ['a.partial.mp4']
    with (
        pytest.raises(OSError, match=r'x/a\.partial\.mp4: OpenCV cannot write'),
        FrameWriter(str(tmp_path / 'x/a.mp4'), 5) as writer,
    ):
        writer.write(picture(3))


@pytest.mark.parametrize('fps', [0.01, 66.1234, 87.3187, 1000.01, 29.41176, 65535])
def test_any_rate_can_be_written(fps, tmp_path):
    """MPEG-4 has room for fewer digits than a measured rate has."""
    with FrameWriter(str(tmp_path / 'a.mp4'), fps) as writer:
        writer.write(picture(3))
        writer.write(picture(4))
    assert writable_rate(fps) == pytest.approx(fps, rel=1e-3)
    assert len(list(FrameReader(str(tmp_path / 'a.mp4')))) == 2


@pytest.mark.parametrize('fps', [0, -1, 0.001, 65536, math.inf, math.nan])
def test_a_rate_that_cannot_be_written(fps, tmp_path):
    """Is an error before the work, not with the first frame."""
    assert writable_rate(fps) is None
    with pytest.raises(ValueError, match=r'a\.mp4: a video has from 0\.01 to 65535 fr'):
        FrameWriter(str(tmp_path / 'a.mp4'), fps)
