"""Image files: one reader for training, testing and inference.

A picture is turned upright by its EXIF orientation, as viewers show it and as COCO's
annotations and sizes take it. Whatever a file holds (grey, CMYK, 16 bits, alpha, a
palette), its image has three channels of eight bits, BGR.
"""

import io
import mimetypes
import os
import os.path as osp

import mmcv
import numpy as np
from mmengine.fileio import get
from PIL import Image

# No other parsers get to see the data. OpenCV reads JPEG 2000, too, but may crash over
# a file that is cut off (4.11 does, after a PNG that was).
FORMATS = ('JPEG', 'PNG', 'WEBP', 'BMP', 'TIFF', 'PPM')
END_OF_JPEG = b'\xff\xd9'


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
    stream = io.BytesIO(content)
    try:
        with Image.open(stream, formats=FORMATS) as header:
            kind = header.format
    except Image.DecompressionBombError as error:
        raise BrokenImageError(f'{name}: is too large ({error})') from error
    except Exception as error:  # parsers stumble over broken data in many ways
        raise BrokenImageError(f'{name}: is not an image that can be read') from error
    if kind in ('JPEG', 'MPO') and not ends(content, stream.tell()):
        raise BrokenImageError(f'{name}: is cut off')
    try:
        image = mmcv.imfrombytes(content, flag, backend=backend)
    except Exception:  # OpenCV's sentences tell of its source
        image = None
    if image is None:
        raise BrokenImageError(f'{name}: is cut off or damaged')
    return image


def ends(content: bytes, start: int) -> bool:
    """Whether a JPEG file has its end; OpenCV before 4.9 would fill in what lacks.

    Args:
        content (bytes): The file's.
        start (int): Where its header ends, which may have a picture of its own.
    """
    return content.endswith(END_OF_JPEG) or content.find(END_OF_JPEG, start) >= 0


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
    return (mimetypes.guess_type(path)[0] or '').partition('/')[0]
