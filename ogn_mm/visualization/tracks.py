"""People with identities, drawn on frames."""

import colorsys
from collections.abc import Sequence

import cv2
import numpy as np

# Hues that follow one another by this share of the circle stay apart.
GOLDEN = 0.618034
FONT = cv2.FONT_HERSHEY_SIMPLEX


def track_color(track_id: int) -> tuple[int, int, int]:
    """The colour of an identity, the same in every frame: blue, green, red."""
    hue, value = track_id * GOLDEN % 1, (1.0, 0.75)[track_id % 2]
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.9, value)
    return int(255 * blue), int(255 * green), int(255 * red)


def draw_tracks(
    image: np.ndarray,
    boxes: np.ndarray,
    poses: np.ndarray,
    track_ids: Sequence[int],
    skeleton: Sequence[tuple[int, int]],
    min_score: float = 0.2,
) -> np.ndarray:
    """Draw boxes, skeletons and identities, each person in one colour.

    Args:
        image (np.ndarray): BGR, uint8, (H, W, 3).
        boxes (np.ndarray): x1, y1, x2, y2 in pixels, (N, 4).
        poses (np.ndarray): x, y and score of the keypoints, (N, K, 3).
        track_ids (Sequence[int]): (N,).
        skeleton (Sequence[tuple[int, int]]): The two keypoints of each limb, (L, 2).
        min_score (float): A keypoint that scores less is not drawn, nor are its limbs.
            Defaults to 0.2.

    Returns:
        np.ndarray: A new image.
    """
    image = image.copy()
    width = max(1, round(min(image.shape[:2]) / 300))
    # the best person comes first and should lie on top
    people = list(zip(boxes, poses, track_ids, strict=True))[::-1]
    for box, pose, track_id in people:
        color = track_color(track_id)
        corners = np.round(box).astype(int).tolist()
        cv2.rectangle(image, corners[:2], corners[2:], color, width)
        seen = pose[:, 2] >= min_score
        points = np.round(pose[:, :2]).astype(int).tolist()
        for first, second in skeleton:
            if seen[first] and seen[second]:
                start, end = points[first], points[second]
                cv2.line(image, start, end, color, 2 * width, cv2.LINE_AA)
        for index in seen.nonzero()[0]:
            cv2.circle(image, points[index], 2 * width, color, -1, cv2.LINE_AA)
    for box, _, track_id in people:
        draw_label(image, box, str(track_id), track_color(track_id))
    return image


def draw_label(image: np.ndarray, box: np.ndarray, text: str, color: tuple) -> None:
    """Write on a box's upper left corner, inside the image, on a patch of colour."""
    scale = max(0.5, min(image.shape[:2]) / 1000)
    stroke, margin = max(1, round(1.5 * scale)), round(5 * scale)
    (width, height), _ = cv2.getTextSize(text, FONT, scale, stroke)
    right, up = width + 2 * margin, height + 2 * margin
    left = int(np.clip(box[0], 0, max(0, image.shape[1] - right)))
    bottom = int(np.clip(box[1], up, image.shape[0]))
    cv2.rectangle(image, (left, bottom - up), (left + right, bottom), color, -1)
    blue, green, red = color
    bright = 0.114 * blue + 0.587 * green + 0.299 * red > 127
    ink = (0, 0, 0) if bright else (255, 255, 255)
    place = (left + margin, bottom - margin)
    cv2.putText(image, text, place, FONT, scale, ink, stroke, cv2.LINE_AA)
