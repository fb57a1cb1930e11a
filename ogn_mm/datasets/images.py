"""Image files: one reader for training, testing and inference.

A picture is turned upright by its EXIF orientation, as viewers show it and as COCO's
annotations and sizes take it. Whatever a file holds (grey, CMYK, 16 bits, alpha, a
palette), its image has three channels of eight bits, BGR. Samples without a known range
(floating-point, signed, or of more than 16 bits) are refused.
"""

import io
import mimetypes
import os
import os.path as osp
import struct

import mmcv
import numpy as np
from mmengine.fileio import get
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

# No other parsers get to see the data. OpenCV reads JPEG 2000, too, but may crash over
# a file that is cut off (4.11 does, after a PNG that was).
FORMATS = ('JPEG', 'PNG', 'WEBP', 'BMP', 'TIFF', 'PPM')
# Python's own table, whatever the system's says, and what it lacks.
KINDS = mimetypes.MimeTypes()
KINDS.add_type('image/webp', '.webp')
for _ending in ('3gp', 'flv', 'm4v', 'mkv', 'ts', 'wmv'):
    KINDS.add_type(f'video/{_ending}', f'.{_ending}')
# Tags of EXIF and TIFF; those of a TIFF file's samples, 1 and 4 of which are unsigned.
WIDTH, HEIGHT, BITS, ORIENTATION, SAMPLE_FORMAT = 256, 257, 258, 274, 339
SAMPLES = {2: 'signed', 3: 'floating-point', 5: 'complex', 6: 'complex'}
JPEG_BEGIN, JPEG_END = b'\xff\xd8', b'\xff\xd9'
JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}


class BrokenImageError(ValueError):
    """A file is no image, or not a whole one; the sentence names it."""


def read_image(source, flag: str = 'color', backend=None, backend_args=None):
    """An image from its file; images are passed through.

    Args:
        source (str | Path | np.ndarray): The file, which MMEngine's file backends read.
        flag, backend: As for :func:`decode_image`.
        backend_args (dict, optional): Of the file backend.

    Returns:
        np.ndarray: As :func:`decode_image` gives it.

    Raises:
        BrokenImageError: The file cannot be read, or holds no whole image.
    """
    if isinstance(source, np.ndarray):
        return source
    try:
        content = get(str(source), backend_args=backend_args)
    except OSError as error:
        reason = error.strerror or error
        raise BrokenImageError(f'{source}: cannot be read ({reason})') from error
    return decode_image(content, str(source), flag, backend)


def decode_image(
    content: bytes, name: str, flag: str = 'color', backend: str | None = None
) -> np.ndarray:
    """An image from the bytes of its file.

    The header is looked at first, so that no image is begun whose size would take the
    machine's memory: Pillow's limit is 179 million pixels (twice
    ``PIL.Image.MAX_IMAGE_PIXELS``). Damage that a format's decoder does not notice,
    such as other bytes in the middle of a JPEG file, is not noticed here either.

    Args:
        content (bytes): The file's.
        name (str): The file's, for messages.
        flag (str): As for `mmcv.imfrombytes`. Defaults to 'color'.
        backend (str, optional): As for `mmcv.imfrombytes`.

    Returns:
        np.ndarray: uint8, with ``'color'`` BGR, (H, W, 3).

    Raises:
        BrokenImageError: It is no image, is cut off, damaged, or far too large.
    """
    if not content:
        raise BrokenImageError(f'{name}: is empty')
    header = check_header(content, name)
    # OpenCV 4.11 leaves these as they lie, 4.14 turns them
    webp = header is not None and header.format == 'WEBP'
    turning = webp and flag in ('color', 'grayscale')
    try:
        image = mmcv.imfrombytes(
            content, f'{flag}_ignore_orientation' if turning else flag, backend=backend
        )
    except Exception:  # OpenCV's sentences tell of its source
        image = None
    if image is None:
        raise BrokenImageError(f'{name}: is cut off or damaged')
    return turn_upright(image, find_orientation(header)) if turning else image


def check_header(content: bytes, name: str) -> Image.Image | None:
    """The header, by Pillow, but of plain JPEG files None.

    Of those it would take a tenth of the time of decoding.

    Raises:
        BrokenImageError: It is of no image, of one far too large, of a JPEG without
            end, or of samples that cannot be brought to eight bits.
    """
    header = None
    frame = find_frame(content)
    if frame is None:
        check_samples(content, name)
        stream = io.BytesIO(content)
        try:
            header = Image.open(stream, formats=FORMATS)
        except Image.DecompressionBombError as error:
            raise BrokenImageError(f'{name}: is too large ({error})') from error
        except Exception as error:  # parsers stumble over broken data in many ways
            raise BrokenImageError(
                f'{name}: is not an image that can be read'
            ) from error
        if header.mode == 'F' and header.format == 'PPM':
            raise BrokenImageError(unusable_samples(name, 'PFM', 32, 'floating-point'))
        start = stream.tell() if header.format in ('JPEG', 'MPO') else None
    else:
        width, height, start = frame
        if width * height > 2 * Image.MAX_IMAGE_PIXELS:
            raise BrokenImageError(f'{name}: is too large ({width} x {height} pixels)')
    # OpenCV 4.8 would fill in what lacks; a picture in the header has an end, too
    if start and not content.endswith(JPEG_END) and content.find(JPEG_END, start) < 0:
        raise BrokenImageError(f'{name}: is cut off')
    return header


def check_samples(content: bytes, name: str) -> None:
    """Raise BrokenImageError for TIFF samples other than of 0 to 2^16 - 1.

    OpenCV refuses some without a reason, and others become black.
    """
    try:
        tags = ImageFileDirectory_v2(content[: 16 if 43 in content[2:4] else 8])
        stream = io.BytesIO(content)
        stream.seek(tags.next)
        tags.load(stream)
        bits = max(tags.get(BITS, (1,)))
        kind = SAMPLES.get(max(tags.get(SAMPLE_FORMAT, (1,))), 'unsigned')
    except Exception:  # no TIFF file, or a broken one
        return
    if bits > 16 or kind != 'unsigned':
        raise BrokenImageError(unusable_samples(name, 'TIFF', bits, kind))


def unusable_samples(name: str, kind: str, bits: int, samples: str) -> str:
    """What to say of a file whose samples cannot be brought to eight bits."""
    return (
        f'{name}: is a {kind} file of {bits}-bit {samples} samples; save it with '
        'unsigned 8-bit ones'
    )


def find_orientation(header: Image.Image) -> int:
    """EXIF's, 1 to 8, of an image that Pillow has opened; 1 where it is none of these.

    Not XMP's, which Pillow's `getexif` takes as well, but OpenCV and browsers do not.
    """
    tags = Image.Exif()
    try:
        tags.load(header.info.get('exif') or b'')
    except Exception:  # parsers stumble over broken data in many ways
        return 1
    found = tags.get(ORIENTATION)
    return found if found in range(2, 9) else 1


def turn_upright(image: np.ndarray, orientation: int) -> np.ndarray:
    """An image, (H, W, ...), turned and mirrored by its EXIF orientation, 1 to 8."""
    if orientation >= 5:
        image = image.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    return np.ascontiguousarray(image)


def find_frame(content: bytes) -> tuple[int, int, int] | None:
    """Width, height and place of a JPEG file's frame header, if it is easy to find."""
    place = 2
    if content[:place] != JPEG_BEGIN:
        return None
    while content[place : place + 1] == b'\xff' and len(content) > place + 8:
        if content[place + 1] in JPEG_FRAMES:
            height, width = struct.unpack_from('>HH', content, place + 5)
            return width, height, place
        place += 2 + struct.unpack_from('>H', content, place + 2)[0]
    return None


def read_size(path: str) -> tuple[int, int]:
    """Width and height of an image, upright, as :func:`read_image` gives it.

    From the header alone; but a PNG file, whose EXIF may come last, is read to its end.

    Raises:
        BrokenImageError: It is no image.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.format == 'PNG':
                image.load()
            if image.format == 'TIFF':  # Pillow turns its size, in some releases
                tags = image.tag_v2
                size, turned = (tags[WIDTH], tags[HEIGHT]), tags.get(ORIENTATION, 1)
            else:
                size, turned = image.size, find_orientation(image)
    except Exception as error:  # parsers stumble over broken data in many ways
        raise BrokenImageError(f'{path}: cannot be read as an image') from error
    return size[::-1] if turned in range(5, 9) else size


def list_images(folder: str) -> list[str]:
    """Paths of a folder's images, by their names, sorted.

    Raises:
        ValueError: It has none.
    """
    paths = [osp.join(folder, name) for name in sorted(os.listdir(folder))]
    images = [path for path in paths if file_kind(path) == 'image']
    if not images:
        raise ValueError(f'{folder}: holds no image')
    return images


def file_kind(path: str) -> str:
    """'image', 'video' or something else, by a file's name."""
    return (KINDS.guess_type(path)[0] or '').partition('/')[0]
