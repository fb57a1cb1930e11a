"""Pictures and videos of all kinds, whole and broken, as bytes."""

import io
import random
import struct

import cv2
import numpy as np
from PIL import Image

HEIGHT, WIDTH = 20, 28


def draw() -> Image.Image:
    """A picture whose corners differ: red, green, blue and white."""
    pixels = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    corners = np.eye(3, dtype=np.uint8) * 255
    pixels[:8, :8], pixels[:8, -8:], pixels[-8:, :8] = corners
    pixels[-8:, -8:] = 255
    return Image.fromarray(pixels)


def encode(picture: Image.Image, kind: str, **options) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def encode_16_bits(kind: str) -> bytes:
    pixels = np.array(draw(), np.uint16)[..., ::-1] * 257
    return cv2.imencode(f'.{kind}', pixels)[1].tobytes()


def exif(orientation: int) -> bytes:
    data = Image.Exif()
    data[0x0112] = orientation
    return data.tobytes()


def list_pictures() -> dict[str, bytes]:
    """The same picture in each kind that is read, and in each mode."""
    picture = draw()
    return dict(
        jpeg=encode(picture, 'JPEG', quality=95, subsampling=0),
        progressive=encode(picture, 'JPEG', quality=95, progressive=True),
        grey=encode(picture.convert('L'), 'JPEG'),
        cmyk=encode(picture.convert('CMYK'), 'JPEG', quality=95),
        rotated=encode(picture, 'JPEG', quality=95, exif=exif(6)),
        png=encode(picture, 'PNG'),
        alpha=encode(picture.convert('RGBA'), 'PNG'),
        palette=encode(picture.convert('P'), 'PNG'),
        grey_16=encode(picture.convert('I;16'), 'PNG'),
        png_16=encode_16_bits('png'),
        tiff_16=encode_16_bits('tiff'),
        tiff=encode(picture, 'TIFF', compression='tiff_lzw'),
        bits=encode(picture.convert('1'), 'TIFF'),
        webp=encode(picture, 'WEBP', lossless=True),
        webp_alpha=encode(picture.convert('RGBA'), 'WEBP'),
        bmp=encode(picture, 'BMP'),
        ppm=encode(picture, 'PPM'),
    )


PICTURES = list_pictures()


def damage(content: bytes, seed: int) -> bytes:
    """Bytes that were changed, zeroed, put in, doubled, left out or cut off."""
    draw = random.Random(seed)
    broken = bytearray(content)
    for _ in range(draw.randint(1, 4)):
        # headers are short, and more of them is looked at
        reach = draw.choice((32, 200, len(broken)))
        start = draw.randrange(max(1, min(reach, len(broken))))
        stop = min(len(broken), start + draw.randint(1, 64))
        match draw.choice(('bytes', 'zero', 'in', 'twice', 'out', 'cut')):
            case 'bytes':
                few = draw.randbytes(draw.randint(1, 8))
                broken[start : start + len(few)] = few
            case 'zero':
                broken[start:stop] = bytes(stop - start)
            case 'in':
                broken[start:start] = draw.randbytes(draw.randint(1, 16))
            case 'twice':
                broken[start:start] = broken[start:stop]
            case 'out':
                del broken[start:stop]
            case 'cut':
                del broken[start:]
    return bytes(broken)


def film(path, frames: int = 12, codec: str = 'mp4v', fps: float = 10) -> bytes:
    """A video with a white corner top left, which gets lighter from black."""
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter_fourcc(*codec), fps, (WIDTH * 2, HEIGHT * 2)
    )
    for index in range(frames):
        pixels = np.full((HEIGHT * 2, WIDTH * 2, 3), 15 * index % 256, np.uint8)
        pixels[:16, :16] = 255
        writer.write(pixels)
    writer.release()
    return path.read_bytes()


def boxes(content: bytes) -> list[bytes]:
    """An MP4 file's boxes, or those in a box's content."""
    found = []
    while content:
        (size,) = struct.unpack('>I', content[:4])
        found.append(content[:size])
        content = content[size:]
    return found


def change(content: bytes, path: list[bytes], edit) -> bytes:
    """Boxes of which the content of one was edited, and its parents' sizes mended."""
    changed = []
    for box in boxes(content):
        if box[4:8] == path[0]:
            body = change(box[8:], path[1:], edit) if path[1:] else edit(box[8:])
            box = struct.pack('>I', len(body) + 8) + box[4:8] + body
        changed.append(box)
    return b''.join(changed)


def turn(content: bytes) -> bytes:
    """An MP4 file to be shown turned by a quarter, as phones write it."""
    quarter = struct.pack('>9i', 0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)

    def edit(header):
        return header[:40] + quarter + header[76:]

    return change(content, [b'moov', b'trak', b'tkhd'], edit)


def vary_rate(content: bytes) -> bytes:
    """An MP4 file of 12 frames whose last six stay five times as long."""
    times = struct.pack('>6I', 0, 2, 6, 1024, 6, 5120)
    table = [b'moov', b'trak', b'mdia', b'minf', b'stbl', b'stts']
    content = change(content, table, lambda _: times)
    # without the edit list, which says how long the film is
    return change(
        content,
        [b'moov', b'trak'],
        lambda track: b''.join(b for b in boxes(track) if b[4:8] != b'edts'),
    )


def header_first(content: bytes) -> bytes:
    """An MP4 file for streaming, which can be opened although its end lacks."""
    header = next(box for box in boxes(content) if box[4:8] == b'moov')

    def move(table):
        places = np.frombuffer(table[8:], '>u4') + len(header)
        return table[:8] + places.astype('>u4').tobytes()

    rest = [box for box in boxes(content) if box[4:8] != b'moov']
    moved = change(header, [b'moov', b'trak', b'mdia', b'minf', b'stbl', b'stco'], move)
    return b''.join([rest[0], moved, *rest[1:]])


def retime(content: bytes, times: list[int], rate: bool = False) -> bytes:
    """A WebM file of OpenCV's with other times of its frames, in ms, and no duration.

    Args:
        content (bytes): The file, in one cluster of less than 33 seconds.
        times (list[int]): From 0.
        rate (bool): Whether it keeps its rate. Browsers write none.
    """
    changed = bytearray(content)
    for name in (b'\x44\x89', *[b'\x23\xe3\x83'] * (not rate)):
        start = content.index(name)
        length = len(name) + 1 + (content[start + len(name)] & 0x7F)
        # an element that means nothing
        void = bytes([0xEC, 0x80 | (length - 2)]).ljust(length, b'\0')
        changed[start : start + length] = void
    place = content.index(b'\x1f\x43\xb6\x75') + 4
    place += 9 - content[place].bit_length()
    times = list(times)
    while times:
        width = 9 - content[place + 1].bit_length()
        size = int.from_bytes(content[place + 1 : place + 1 + width], 'big')
        body = place + 1 + width
        if content[place] == 0xA3:  # a frame
            struct.pack_into('>h', changed, body + 1, times.pop(0))
        place = body + size - (1 << 7 * width)
    return bytes(changed)
