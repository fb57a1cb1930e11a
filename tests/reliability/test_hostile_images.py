"""Images of any kind and state: read, or named in one sentence."""

import io
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
    turn_upright,
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


ENCODINGS = dict(
    jpeg=('JPEG', 'RGB', dict(quality=95, subsampling=0)),
    png=('PNG', 'RGB', {}),
    png_alpha=('PNG', 'LA', {}),
    webp=('WEBP', 'RGB', dict(lossless=True)),
    webp_alpha=('WEBP', 'RGBA', dict(lossless=True)),
    webp_lossy=('WEBP', 'L', dict(quality=95)),
    tiff=('TIFF', 'RGB', {}),
    tiff_lzw=('TIFF', 'L', dict(compression='tiff_lzw')),
    tiff_jpeg=('TIFF', 'RGB', dict(compression='jpeg', quality=95)),
    tiff_cmyk=('TIFF', 'CMYK', {}),
    tiff_bits=('TIFF', '1', {}),
    tiff_palette=('TIFF', 'P', {}),
)


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('kind', ENCODINGS)
def test_pictures_are_turned_upright(kind, orientation, tmp_path):
    """As viewers and Pillow turn them, in training and in inference."""
    name, mode, options = ENCODINGS[kind]
    content = encode(draw().convert(mode), name, exif=exif(orientation), **options)
    path = tmp_path / 'a'
    path.write_bytes(content)
    # from memory: in files Pillow 13 does not turn TIFF of CMYK or a palette
    with Image.open(io.BytesIO(content)) as picture:
        upright = ImageOps.exif_transpose(picture)
        expected = np.array(upright.convert('RGB'))[..., ::-1]
    difference = np.abs(read_image(path).astype(int) - expected)
    corners = difference[[3, -4]][:, [3, -4]]  # JPEG blurs between them
    assert (corners if kind == 'tiff_jpeg' else difference).max() <= 20
    assert read_image(path, 'grayscale').shape == expected.shape[:2]
    assert read_size(path) == expected.shape[1::-1]


@pytest.mark.parametrize('orientation', range(1, 9))
def test_turned_upright_is_what_exif_says(orientation):
    """Where the file's first row and column stand, by the EXIF standard's table."""
    rows, columns = {
        1: ('top', 'left'),
        2: ('top', 'right'),
        3: ('bottom', 'right'),
        4: ('bottom', 'left'),
        5: ('left', 'top'),
        6: ('right', 'top'),
        7: ('right', 'bottom'),
        8: ('left', 'bottom'),
    }[orientation]
    image = np.zeros((3, 5, 1), np.uint8)
    image[0] += 1
    image[:, 0] += 2
    sides = dict(top=np.s_[0], bottom=np.s_[-1], left=np.s_[:, 0], right=np.s_[:, -1])
    turned = turn_upright(image, orientation)
    assert (turned[sides[rows]] & 1).all() and (turned & 1).sum() == 5
    assert (turned[sides[columns]] & 2).all() and (turned & 2).sum() == 2 * 3


def test_orientation_that_means_nothing(tmp_path):
    """Such as 0, 9, one in broken EXIF, and XMP's, which browsers do not follow."""
    xmp = b'http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation="6"/>'
    marker = b'\xff\xe1' + struct.pack('>H', len(xmp) + 2) + xmp
    plain = PICTURES['jpeg']
    contents = [plain[:2] + marker + plain[2:]]
    for kind in ('JPEG', 'PNG', 'WEBP', 'TIFF'):
        contents += [encode(draw(), kind, exif=exif(value)) for value in (0, 9)]
        if kind != 'TIFF':
            contents.append(encode(draw(), kind, exif=b'Exif\0\0MM\0*\0'))
    for content in contents:
        (tmp_path / 'a').write_bytes(content)
        assert read_image(tmp_path / 'a').shape == (HEIGHT, WIDTH, 3)
        assert read_size(tmp_path / 'a') == (WIDTH, HEIGHT)


def test_exif_at_the_end_of_a_png_file(tmp_path):
    data = exif(6)[6:]
    chunk = b'eXIf' + data + struct.pack('>I', zlib.crc32(b'eXIf' + data))
    content = PICTURES['png']
    end = content[:-12] + struct.pack('>I', len(data)) + chunk + content[-12:]
    (tmp_path / 'a').write_bytes(end)
    assert read_image(tmp_path / 'a').shape == (WIDTH, HEIGHT, 3)
    assert read_size(tmp_path / 'a') == (HEIGHT, WIDTH)


@pytest.mark.parametrize(
    'kind, channels, said',
    [
        ('float32', 1, '32-bit floating-point'),
        ('float64', 3, '64-bit floating-point'),
        ('int32', 1, '32-bit signed'),
        ('int16', 1, '16-bit signed'),
    ],
)
def test_samples_without_a_range(kind, channels, said):
    """OpenCV would refuse them without a reason, or make them black."""
    pixels = np.ones((HEIGHT, WIDTH, channels), kind)
    content = cv2.imencode('.tiff', pixels)[1].tobytes()
    sentence = f'^x: is a TIFF file of {said} samples; save it with unsigned 8-bit ones'
    with pytest.raises(BrokenImageError, match=sentence):
        decode_image(content, 'x')


def test_floating_point_map():
    picture = Image.fromarray(np.ones((HEIGHT, WIDTH), np.float32))
    for kind, name in (('PPM', 'PFM'), ('TIFF', 'TIFF')):
        sentence = f'is a {name} file of 32-bit floating-point samples'
        with pytest.raises(BrokenImageError, match=sentence):
            decode_image(encode(picture, kind), 'x')


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
