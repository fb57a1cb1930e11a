"""Images of any kind and state: read, or named in one sentence."""

import resource
import struct
import zlib

import cv2
import numpy as np
import pytest
from fuzzing import FUZZ, fuzz
from hostile_media import HEIGHT, PICTURES, WIDTH, damage, draw, encode, exif
from hypothesis import strategies as st
from PIL import Image, ImageOps

from ogn_mm.datasets.images import (
    BrokenImageError,
    decode_image,
    find_frame,
    read_image,
    read_size,
)

GREY = ('grey', 'grey_16', 'bits')


@pytest.mark.parametrize('kind', PICTURES)
def test_every_kind_is_bgr_of_eight_bits(kind):
    image = decode_image(PICTURES[kind], 'x')
    assert image.dtype == np.uint8
    if kind == 'rotated':
        image = np.rot90(image)  # it was shown turned clockwise
    assert image.shape == (HEIGHT, WIDTH, 3)
    expected = np.array(draw())[..., ::-1].astype(int)
    if kind not in GREY:
        # CMYK has no pure colours, lossy kinds nearly
        assert np.abs(image - expected)[2:6, 2:6].max() <= 12
        assert np.abs(image - expected)[-6:-2, -6:-2].max() <= 12
    elif kind != 'grey_16':  # Pillow does not spread grey's range to 16 bits
        assert (image[..., 0] == image[..., 2]).all() and image[-4, -4, 0] >= 250


@pytest.mark.parametrize('kind', PICTURES)
def test_no_part_of_an_image_passes_for_the_whole(kind):
    """Wherever the file is cut off, to the byte."""
    content = PICTURES[kind]
    for length in range(len(content)):
        with pytest.raises(BrokenImageError, match=r'^a b\.x: is '):
            decode_image(content[:length], 'a b.x')


@FUZZ
def test_damaged_images(examples):
    def check(kind, seed):
        content = damage(PICTURES[kind], seed)
        try:
            image = decode_image(content, 'folder/a.jpg')
        except BrokenImageError as error:
            sentence = str(error)
            assert sentence.startswith('folder/a.jpg: is ')
            assert '\n' not in sentence and len(sentence) < 200
        else:
            assert image.dtype == np.uint8 and image.ndim == 3
            assert image.shape[2] == 3 and 0 < image.size < 3 * 179e6

    fuzz(check, st.sampled_from(list(PICTURES)), st.integers(0), examples=examples)


@FUZZ
def test_any_bytes(examples):
    def check(content):
        with pytest.raises(BrokenImageError, match='^x: is '):
            decode_image(content, 'x')

    fuzz(check, st.binary(max_size=200), examples=examples)


@pytest.mark.parametrize('orientation', range(1, 9))
def test_pictures_are_turned_upright(orientation, tmp_path):
    """As viewers and Pillow turn them, in training and in inference."""
    path = tmp_path / 'a.jpg'
    path.write_bytes(
        encode(draw(), 'JPEG', quality=95, subsampling=0, exif=exif(orientation))
    )
    with Image.open(path) as picture:
        expected = np.array(ImageOps.exif_transpose(picture))[..., ::-1]
    assert np.abs(read_image(path).astype(int) - expected).max() <= 3
    np.testing.assert_array_equal(cv2.imread(str(path)), read_image(path))
    assert read_size(path) == expected.shape[1::-1]


def test_sizes():
    for size in ((1, 1), (30_000, 1), (1, 30_000), (30_000, 40)):
        for kind in ('PNG', 'JPEG'):
            image = decode_image(encode(Image.new('RGB', size), kind), 'x')
            assert image.shape == (*size[::-1], 3)


def test_a_small_file_does_not_take_the_memory(tmp_path):
    """A PNG file of half a megabyte and 30,000 x 30,000 pixels, which are 2.7 GB."""
    path = tmp_path / 'bomb.png'
    small = encode(Image.new('1', (1, 1)), 'PNG')
    header = b'IHDR' + struct.pack('>II', 30_000, 30_000) + small[24:29]
    rows = b'IDAT' + zlib.compress(bytes(30_000 * 3751), 1)
    chunks = [
        struct.pack('>I', len(chunk) - 4) + chunk + struct.pack('>I', zlib.crc32(chunk))
        for chunk in (header, rows, b'IEND')
    ]
    path.write_bytes(small[:8] + b''.join(chunks))
    assert path.stat().st_size < 1_000_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sentence = r'bomb\.png: is too large \(Image size \(900000000 pixels\)'
    with pytest.raises(BrokenImageError, match=sentence):
        read_image(path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert peak - before < 50_000  # kilobytes


def test_a_header_of_too_many_pixels():
    """Of a JPEG file with one row of them."""
    content = encode(Image.new('L', (60_000, 1)), 'JPEG')
    width, height, place = find_frame(content)
    assert (width, height) == (60_000, 1)
    high = content[: place + 5] + bytes([200, 0]) + content[place + 7 :]
    with pytest.raises(BrokenImageError, match=r'x: is too large \(60000 x 51200 pix'):
        decode_image(high, 'x')


def test_bytes_after_the_end_do_no_harm():
    for rest in (b'\0' * 9, b'\xff\xda rest', PICTURES['png']):
        assert decode_image(PICTURES['jpeg'] + rest, 'x').shape[2] == 3


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / 'a.jpg').mkdir()
    (tmp_path / 'b.jpg').symlink_to(tmp_path / 'nowhere')
    (tmp_path / 'c.jpg').symlink_to(tmp_path / 'c.jpg')
    for name, reason in (
        ('a.jpg', 'Is a directory'),
        ('b.jpg', 'No such file or directory'),
        ('c.jpg', 'Too many levels of symbolic links'),
    ):
        sentence = rf'{name}: cannot be read \({reason}\)$'
        with pytest.raises(BrokenImageError, match=sentence):
            read_image(tmp_path / name)


def test_jpeg_2000_is_refused():
    """OpenCV 4.11 crashes on one that is cut off."""
    with pytest.raises(BrokenImageError, match='x: is not an image'):
        decode_image(encode(draw(), 'JPEG2000'), 'x')


def test_names(tmp_path):
    folder = tmp_path / 'dös 图 %20#?'
    folder.mkdir()
    for name in ('a b.jpg', "it's ü.jpg", '画像.jpg', 'wrong ending.png', '-x.jpg'):
        (folder / name).write_bytes(PICTURES['jpeg'])
        (tmp_path / 'link.jpg').unlink(missing_ok=True)
        (tmp_path / 'link.jpg').symlink_to(folder / name)
        for path in (folder / name, tmp_path / 'link.jpg'):
            assert read_image(path).shape == (HEIGHT, WIDTH, 3)
