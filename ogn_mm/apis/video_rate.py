"""How many frames a video has, and how many a second."""

import math

import cv2

# Frames a second that an MP4 file can be written with.
LOWEST_RATE, HIGHEST_RATE = 0.01, 65535


def rate_and_count(path: str) -> tuple[float, int]:
    """Frames a second and number of frames of a video; 0 where it is not known.

    The header's, if the times of the first hundred frames, or of all, agree with its
    rate within a tenth. FFmpeg gives a file that says nothing of its rate that of its
    clock: 1000 where browsers record, 90000 in streams; and it makes the count of some
    files from rate and duration. Else the mean by the times, and the count of all
    frames or, if they end well before the duration is over, of those it has room for.
    """
    capture = cv2.VideoCapture(path)
    announced = capture.get(cv2.CAP_PROP_FPS)
    header = announced, max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
    rate = count = start = 0
    while can_grab(capture) and not (count >= 100 and near(rate, announced)):
        time = capture.get(cv2.CAP_PROP_POS_MSEC)
        start = start if count else time
        rate = 1000 * count / (time - start) if time > start else 0
        count += 1
    if not rate or near(rate, announced):
        return header
    expected = round(header[1] / announced * rate) if announced > 0 else 0
    return rate, expected if expected > 1.05 * count + 2 else count


def near(rate: float, other: float) -> bool:
    return math.isclose(rate, other, rel_tol=0.1)


def can_grab(capture: cv2.VideoCapture) -> bool:
    """Go to the next frame; whether there is one, and OpenCV does not stumble."""
    try:
        return capture.grab() is True
    except cv2.error:
        return False


def writable_rate(fps: float) -> float | None:
    """A rate rounded as MPEG-4 requires, a fraction by at most 65535; None if none."""
    if not LOWEST_RATE <= fps <= HIGHEST_RATE:
        return None
    digits = next(n for n in (3, 2, 1, 0) if round(fps, n) * 10**n <= HIGHEST_RATE)
    return round(fps, digits)
