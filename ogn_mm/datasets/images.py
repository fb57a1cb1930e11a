"""Image files: one reader for training, testing and inference.

A picture is turned upright by its EXIF orientation, as viewers show it and as COCO's
annotations and sizes take it. Whatever a file holds (grey, CMYK, 16 bits, alpha, a
palette), its image has three channels of eight bits, BGR.
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

# No other parsers get to see the data. OpenCV reads JPEG 2000, too, but may crash over
# a file that is cut off (4.11 does, after a PNG that was).
FORMATS = ('JPEG', 'PNG', 'WEBP', 'BMP', 'TIFF', 'PPM')
# Python's own table, whatever the system's says, and what it lacks.
KINDS = mimetypes.MimeTypes()
KINDS.add_type('image/webp', '.webp')
for _ending in ('3gp', 'flv', 'm4v', 'mkv', 'ts', 'wmv'):
    KINDS.add_type(f'video/{_ending}', f'.{_ending}')
EXIF_ORIENTATION = 0x0112
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
    check_header(content, name)
    try:
        image = mmcv.imfrombytes(content, flag, backend=backend)
    except Exception:  # OpenCV's sentences tell of its source
        image = None
    if image is None:
        raise BrokenImageError(f'{name}: is cut off or damaged')
    return image


def check_header(content: bytes, name: str) -> None:
    """Raise BrokenImageError for no image, one far too large, or a JPEG without end.

    Pillow looks at the header, but for plain JPEG files, where it would take a tenth of
    the time of decoding.
    """
    frame = find_frame(content)
    if frame is None:
        stream = io.BytesIO(content)
        try:
            header = Image.open(stream, formats=FORMATS)
        except Image.DecompressionBombError as error:
            raise BrokenImageError(f'{name}: is too large ({error})') from error
        except Exception as error:  # parsers stumble over broken data in many ways
            raise BrokenImageError(
                f'{name}: is not an image that can be read'
            ) from error
        start = stream.tell() if header.format in ('JPEG', 'MPO') else None
    else:
        width, height, start = frame
        if width * height > 2 * Image.MAX_IMAGE_PIXELS:
            raise BrokenImageError(f'{name}: is too large ({width} x {height} pixels)')
    # OpenCV 4.8 would fill in what lacks; a picture in the header has an end, too
    if start and not content.endswith(JPEG_END) and content.find(JPEG_END, start) < 0:
        raise BrokenImageError(f'{name}: is cut off')


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
    """Width and height of an image, upright, from its header alone.

    Raises:
        BrokenImageError: It is no image.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            lies = image.getexif().get(EXIF_ORIENTATION, 1) >= 5
            return image.size[::-1] if lies else image.size
    except Exception as error:  # parsers stumble over broken data in many ways
        raise BrokenImageError(f'{path}: cannot be read as an image') from error


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
