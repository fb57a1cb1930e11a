"""Frames of videos, folders and webcams, read ahead in a thread; and videos made."""

import os
import os.path as osp
import re
from collections.abc import Iterator
from queue import Empty, Queue
from threading import Event, Thread
from typing import NamedTuple

import cv2
import numpy as np

from ogn_mm.datasets.images import BrokenImageError, list_images, read_image

from .video_rate import (
    HIGHEST_RATE,
    LOWEST_RATE,
    can_grab,
    rate_and_count,
    writable_rate,
)

# After so many frames that cannot be read, a video is taken to end.
MOST_BROKEN = 1000


class Frame(NamedTuple):
    """A frame of a video.

    Attributes:
        index (int): From 0.
        name (str): The source's name, a slash, and the picture's file name or, of a
            video, one made of the index.
        image (np.ndarray | None): BGR, uint8, (H, W, 3); None if it cannot be read.
    """

    index: int
    name: str
    image: np.ndarray | None


def is_webcam(source: str) -> bool:
    """Whether a source is ``webcam``, the first camera, or ``webcam:NUMBER``."""
    return source.partition(':')[0] == 'webcam'


class FrameReader:
    """Iterate over a video's frames, while a thread reads the next ones.

    Frames that cannot be read come without an image. What is missing at a video's end
    does not come at all, and ``early_end`` tells of it. Frames are turned upright by
    the video's rotation. They are counted, and not timed: of a video whose frame rate
    varies every frame comes once.

    Args:
        source (str): A video, a folder of pictures, whose names give the order (2
            before 10), or a webcam, see :func:`is_webcam`.
        start (int): First frame wanted; may be set until reading begins. Defaults to 0.
        ahead (int): Frames that are read ahead at most. Defaults to 8.

    Attributes:
        name (str): The source's name without folders and ending.
        fps (float | None): Frames a second, such that :class:`FrameWriter` can write
            them. Where it varies, or the header cannot be believed, the mean by the
            frames' times. None for a folder, and where it is not known.
        early_end (str | None): After the last frame, a sentence if the video has fewer
            than its header says.

    Raises:
        FileNotFoundError: There is no such file or folder.
        ValueError: The file is not a video that can be read, the folder has no
            pictures, or the camera does not answer.
    """

    def __init__(self, source: str, start: int = 0, ahead: int = 8):
        self.start = start
        self.ahead = ahead
        self.source = source
        self.paths = self.capture = self.fps = self.count = self.early_end = None
        camera = is_webcam(source)
        if not camera and not osp.exists(source):
            raise FileNotFoundError(f'{source}: there is no such file or folder')
        self.name = osp.splitext(osp.basename(osp.normpath(source)))[0]
        if osp.isdir(source):
            self.paths = sorted(list_images(source), key=by_number)
            self.count = len(self.paths)
            return
        self.capture = cv2.VideoCapture(camera_number(source) if camera else source)
        if not self.capture.isOpened():
            kind = 'webcam' if camera else 'video'
            raise ValueError(f'{source}: cannot be opened as a {kind}')
        rate = self.capture.get(cv2.CAP_PROP_FPS)
        if not camera:
            # which OpenCV's releases differ in
            self.capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
            rate, count = rate_and_count(source)
            self.count = count or None
        self.fps = writable_rate(rate)

    @property
    def total(self) -> int | None:
        """Number of frames from ``start`` on, as far as it is known."""
        return None if self.count is None else max(0, self.count - self.start)

    def __iter__(self) -> Iterator[Frame]:
        frames = self._read_folder() if self.paths else self._read_video()
        return read_ahead(frames, self.ahead)

    def _read_folder(self) -> Iterator[Frame]:
        for index, path in enumerate(self.paths[self.start :], self.start):
            try:
                image = read_image(path)
            except BrokenImageError:
                image = None
            yield Frame(index, f'{self.name}/{osp.basename(path)}', image)

    def _read_video(self) -> Iterator[Frame]:
        index, broken = 0, []
        while True:
            grabbed = can_grab(self.capture)
            over = index >= (self.count or 0) or len(broken) > MOST_BROKEN
            if not grabbed and over:
                break
            image = None
            if grabbed and index >= self.start:
                image = decode(self.capture)
            if index >= self.start:
                broken.append(Frame(index, f'{self.name}/{index:06d}.jpg', image))
            if grabbed:
                yield from broken
                broken = []
            index += 1
        self.capture.release()
        found = index - len(broken)
        if self.count and found < self.count:
            self.early_end = (
                f'{self.source}: ends after {found} frames, of {self.count} that its '
                'header announces'
            )


def decode(capture: cv2.VideoCapture) -> np.ndarray | None:
    """The frame that was grabbed; None if it is damaged."""
    try:
        return capture.retrieve()[1]
    except cv2.error:
        return None


def camera_number(source: str) -> int:
    """Of ``webcam:NUMBER``; 0 of ``webcam``.

    Raises:
        ValueError: It is no number.
    """
    number = source.partition(':')[2]
    if source != 'webcam' and not number.isdecimal():
        raise ValueError(f'{source}: should be webcam:NUMBER')
    return int(number or 0)


def by_number(path: str) -> list:
    """Key to sort file names, in which numbers count as such."""
    parts = re.split(r'(\d+)', osp.basename(path))
    return [int(part) if part.isdecimal() else part for part in parts]


def read_ahead(items: Iterator, ahead: int) -> Iterator:
    """Run an iterator in a thread, at most ``ahead`` items in advance.

    Its errors come where the item would have come. The thread ends with the loop over
    the result, also where this is left early.
    """
    queue, stop = Queue(ahead), Event()

    def read():
        try:
            for item in items:
                queue.put((item, None))
                if stop.is_set():
                    return
            queue.put((None, StopIteration()))
        except BaseException as error:  # or the loop would wait for ever
            queue.put((None, error))

    thread = Thread(target=read, daemon=True)
    thread.start()
    try:
        while True:
            item, error = queue.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item
    finally:
        stop.set()
        drain(queue)
        thread.join()


def drain(queue: Queue) -> None:
    """Make room, so that a waiting thread goes on and sees that it should stop."""
    while True:
        try:
            queue.get_nowait()
        except Empty:
            return


class FrameWriter:
    """A video that appears under its name once it is complete.

    Until then, and after an error, it is a file whose name ends on .partial.mp4. Frames
    of another size than the first one's are resized.

    Args:
        path (str): Ends on .mp4.
        fps (float): Frames a second, from 0.01 to 65535.

    Raises:
        OSError: The video cannot be written.
        ValueError: ``fps`` is out of its range.
    """

    def __init__(self, path: str, fps: float):
        self.path = path
        self.fps = writable_rate(fps)
        if self.fps is None:
            raise ValueError(
                f'{path}: a video has from {LOWEST_RATE} to {HIGHEST_RATE} frames a '
                f'second, not {fps}'
            )
        stem, ending = osp.splitext(path)
        self.partial = f'{stem}.partial{ending}'
        self.writer = self.size = None

    def __enter__(self) -> 'FrameWriter':
        return self

    def __exit__(self, error, *_) -> None:
        if self.writer is None:
            return
        self.writer.release()
        if error is None:
            os.replace(self.partial, self.path)

    def write(self, image: np.ndarray) -> None:
        """Append a frame, BGR, uint8, (H, W, 3)."""
        if self.writer is None:
            self.size = image.shape[1::-1]
            code = cv2.VideoWriter_fourcc(*'mp4v')
            self.writer = cv2.VideoWriter(self.partial, code, self.fps, self.size)
            if not self.writer.isOpened():
                raise OSError(f'{self.partial}: OpenCV cannot write this video')
        if image.shape[1::-1] != self.size:
            image = cv2.resize(image, self.size)
        self.writer.write(image)
