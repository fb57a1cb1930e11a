"""Videos of any kind and state: their frames, upright, and what is said of the rest."""

import numpy as np
import pytest
from fuzzing import FUZZ, fuzz
from hostile_media import (
    HEIGHT,
    WIDTH,
    damage,
    film,
    header_first,
    retime,
    turn,
    vary_rate,
)
from hypothesis import strategies as st
from PIL import Image

from ogn_mm.apis import FrameReader
from ogn_mm.apis.video_io import MOST_BROKEN

SHAPE = (HEIGHT * 2, WIDTH * 2, 3)


def levels(frames):
    """Grey of each frame's lower right corner."""
    return [int(frame.image[-8:, -8:].mean()) for frame in frames]


@pytest.fixture
def video(tmp_path):
    path = tmp_path / 'a film ü.mp4'
    film(path)
    return path


def test_rotation_is_followed(video):
    """The corner that was top left is top right, as players show it."""
    video.write_bytes(turn(video.read_bytes()))
    frames = list(FrameReader(str(video)))
    assert len(frames) == 12
    for frame in frames:
        assert frame.image.shape == (SHAPE[1], SHAPE[0], 3)
        assert frame.image[:8, -8:].mean() > 240 > 200 > frame.image[:8, :8].mean()


def test_every_frame_comes_once_at_a_rate_that_varies(video):
    plain = levels(FrameReader(str(video)))
    video.write_bytes(vary_rate(video.read_bytes()))
    reader = FrameReader(str(video))
    assert levels(reader) == plain
    assert len(plain) == 12 and plain == sorted(plain)
    # 0.6 s and 3 s; the last frame's half second has no end by the frames' times
    assert reader.fps in (pytest.approx(12 / 3.6, 0.01), pytest.approx(11 / 3.1, 0.01))
    assert reader.early_end is None


@pytest.mark.parametrize('rate', [False, True])
@pytest.mark.parametrize('gaps', [(22, 28, 43, 7, 22, 21), (100,) * 6, (100, 500)])
def test_a_film_of_a_browser_has_its_real_rate(gaps, rate, tmp_path):
    """Whose header has none, or another, and no number of frames; FFmpeg says 1000."""
    path = tmp_path / 'a.webm'
    film(path, 13, 'VP80')
    times = np.cumsum([0, *gaps * (12 // len(gaps))])
    path.write_bytes(retime(path.read_bytes(), times.tolist(), rate))
    reader = FrameReader(str(path))
    assert reader.fps == pytest.approx(12_000 / times[-1], rel=1e-3)
    assert reader.total in (None, 13)
    assert len(list(reader)) == 13 and reader.early_end is None


@pytest.mark.parametrize('frames, fps', [(150, 120), (12, 240), (1, 25)])
def test_a_camera_may_be_fast_or_stop_at_once(frames, fps, tmp_path):
    path = tmp_path / 'a.mp4'
    film(path, frames, fps=fps)
    reader = FrameReader(str(path))
    assert (reader.fps, reader.total) == (fps, frames)


def test_a_film_that_repeats_pictures_by_their_times(tmp_path):
    picture = [Image.new('L', (32, 32), shade) for shade in (0, 100, 200, 250)]
    path = tmp_path / 'a.gif'
    picture[0].save(
        path, save_all=True, append_images=picture[1:], duration=[200, 200, 200, 200]
    )
    reader = FrameReader(str(path))
    assert (reader.fps, len(list(reader))) == (5, 4)


@pytest.mark.parametrize('codec, kind', [('mp4v', 'mp4'), ('MJPG', 'avi')])
def test_cut_off(codec, kind, tmp_path):
    """Frames up to the cut are those of the whole, and a sentence tells of the cut."""
    path = tmp_path / f'film.{kind}'
    whole = film(path, 40, codec)
    if kind == 'mp4':
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(ValueError, match=r'film\.mp4: cannot be opened as a vid'):
            FrameReader(str(path))
        whole = header_first(whole)
        path.write_bytes(whole)
    reader = FrameReader(str(path))
    expected = list(reader)
    assert len(expected) == 40 and reader.early_end is None
    path.write_bytes(whole[: len(whole) * 2 // 3])
    reader = FrameReader(str(path))
    frames = list(reader)
    assert 10 < len(frames) < 40
    for frame, other in zip(frames[:-1], expected, strict=False):
        np.testing.assert_array_equal(frame.image, other.image)
    assert reader.early_end == (
        f'{path}: ends after {len(frames)} frames, of 40 that its header announces'
    )


def test_a_header_of_too_many_frames_is_no_endless_film(video, monkeypatch):
    reader = FrameReader(str(video))
    reader.count = 2**62
    assert len(list(reader)) == 12
    assert 'ends after 12 frames' in reader.early_end


def test_other_endings(video, tmp_path):
    """The content counts, not the name."""
    for name in ('film.avi', 'film', 'film.jpg'):
        (tmp_path / name).write_bytes(video.read_bytes())
        assert len(list(FrameReader(str(tmp_path / name)))) == 12
    (tmp_path / 'link.mp4').symlink_to(video)
    assert len(list(FrameReader(str(tmp_path / 'link.mp4')))) == 12


@FUZZ
def test_damaged_videos(examples, tmp_path):
    whole = [
        header_first(film(tmp_path / 'a.mp4')),
        film(tmp_path / 'a.avi', codec='MJPG'),
    ]
    path = tmp_path / 'x.mp4'

    def check(kind, seed):
        path.write_bytes(damage(whole[kind], seed))
        try:
            reader = FrameReader(str(path), ahead=1)
        except ValueError as error:
            sentence = str(error)
        else:
            sentence = None
        if sentence:
            assert sentence == f'{path}: cannot be opened as a video'
            return
        frames = list(reader)
        assert len(frames) <= MOST_BROKEN
        for index, frame in enumerate(frames):
            assert frame.index == index
            if frame.image is not None:
                assert frame.image.dtype == np.uint8 and frame.image.shape[2] == 3
        if reader.early_end:
            assert reader.early_end.startswith(f'{path}: ends after {len(frames)} ')

    fuzz(check, st.integers(0, 1), st.integers(0), examples=examples)
