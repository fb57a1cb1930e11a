"""Drawing with one primitive, the shaded tapered capsule, and busy backgrounds.

Images are float32 (H, W, 3), BGR, 0-255; pixel centres are integers.
"""

from typing import NamedTuple

import cv2
import numpy as np

from .body import KEYPOINTS, Person, joints


class Part(NamedTuple):
    """A capsule between two of the points of `joints`; radii in stature units times
    the body's girth (of the head: times half the head's width)."""

    name: str
    start: str
    end: str
    start_radius: float
    end_radius: float
    colour: str
    lift: float = 0.0  # drawn as if this much nearer to the camera


def limbs(side: str) -> tuple:
    """The parts of one arm and one leg."""
    return (
        Part(f'{side}_thigh', f'{side}_hip', f'{side}_knee', 0.054, 0.036, 'thigh'),
        Part(f'{side}_shank', f'{side}_knee', f'{side}_ankle', 0.036, 0.023, 'shank'),
        Part(f'{side}_foot', f'{side}_ankle', f'{side}_toe', 0.026, 0.02, 'shoes'),
        Part(f'{side}_arm', f'{side}_shoulder', f'{side}_elbow', 0.033, 0.026,
             'upper_arm', 0.035),
        Part(f'{side}_forearm', f'{side}_elbow', f'{side}_wrist', 0.026, 0.018,
             'forearm', 0.035),
        Part(f'{side}_hand', f'{side}_wrist', f'{side}_hand', 0.02, 0.017, 'skin',
             0.035),
    )  # fmt: skip


def features(side: str) -> tuple:
    """The parts of one side of the head."""
    return (
        Part(f'{side}_ear', f'{side}_ear', f'{side}_ear', 0.25, 0.25, 'ear'),
        Part('head', f'{side}_eye', f'{side}_eye', 0.24, 0.24, 'white'),
        Part('head', f'{side}_eye', f'{side}_eye', 0.14, 0.14, 'black', 0.001),
    )


# Equally near parts are drawn in this order. Details carry the name of the part that
# they lie on: they do not hide it.
PARTS = (
    Part('pelvis', 'left_hip', 'right_hip', 0.055, 0.055, 'trousers'),
    *limbs('left'),
    *limbs('right'),
    Part('belly', 'neck', 'waist', 0.045, 0.064, 'shirt', 0.01),
    Part('shoulders', 'left_shoulder', 'right_shoulder', 0.032, 0.032, 'shirt', 0.01),
    Part('left_side', 'left_chest', 'left_waist', 0.062, 0.055, 'shirt', 0.012),
    Part('right_side', 'right_chest', 'right_waist', 0.062, 0.055, 'shirt', 0.012),
    Part('belly', 'collar', 'buckle', 0.007, 0.007, 'accent', 0.012),
    Part('left_side', 'badge', 'badge', 0.022, 0.022, 'accent', 0.012),
    Part('pack', 'pack_top', 'pack_end', 0.06, 0.07, 'pack'),
    Part('neck', 'neck', 'head', 0.032, 0.032, 'skin', -0.03),
    Part('hair', 'nape', 'hair', 0.7, 0.9, 'long_hair'),
    Part('hair', 'hair', 'hair', 1.12, 1.12, 'hair'),
    Part('head', 'brow', 'chin', 0.95, 0.8, 'skin', 0.001),
    *features('left'),
    *features('right'),
    Part('head', 'mouth', 'mouth', 0.2, 0.2, 'lips'),
    Part('head', 'nose_root', 'nose', 0.1, 0.17, 'nose', 0.002),
)
HEAD_PARTS = ('head', 'hair', 'left_ear', 'right_ear')
PART_NAMES = tuple(dict.fromkeys(part.name for part in PARTS))


def parts_seen_at(keypoint: str) -> tuple:
    """Names of the parts whose surface shows a keypoint; any other part hides it."""
    side, _, joint = keypoint.partition('_')
    names = dict(
        shoulder=('arm', 'side'), elbow=('arm', 'forearm'), wrist=('forearm', 'hand'),
        hip=('thigh', 'side'), knee=('thigh', 'shank'), ankle=('shank', 'foot'),
        ear=('ear',),
    )  # fmt: skip
    if joint not in names:
        return ('head',)  # nose and eyes
    shared = ('pelvis', 'belly') if joint == 'hip' else ()
    return tuple(f'{side}_{name}' for name in names[joint]) + shared


SEEN_AT = np.array(
    [[part in parts_seen_at(k) for part in PART_NAMES] for k in KEYPOINTS]
)


def draw_capsule(image, start, end, radii, colour, light, stripes=0.0):
    """Blend a capsule with round shading into an image, in place.

    Args:
        image (np.ndarray): (H, W, 3) float32.
        start, end (array): (2,) x, y of the axis' ends, pixels.
        radii (tuple): Radii at the two ends, pixels.
        colour (array): (3,) BGR.
        light (array): (3,) unit vector towards the light, camera axes.
        stripes (float): Stripes across, per pixel; 0 for plain.

    Returns:
        tuple: The window's (row slice, column slice) and (h, w) bool, which of its
        pixels the capsule covers by at least half; None if it lies outside the image.
    """
    height, width = image.shape[:2]
    reach = max(radii) + 1
    x0, y0 = np.floor(np.minimum(start, end) - reach).astype(int).clip(0)
    x1, y1 = np.ceil(np.maximum(start, end) + reach).astype(int) + 1
    rows, columns = slice(y0, min(y1, height)), slice(x0, min(x1, width))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return None
    x = np.arange(x0, columns.stop, dtype=np.float32) - np.float32(start[0])
    y = np.arange(y0, rows.stop, dtype=np.float32)[:, None] - np.float32(start[1])
    # Python's floats, unlike numpy's, leave float32 arrays what they are.
    dx, dy = float(end[0] - start[0]), float(end[1] - start[1])
    (r0, r1), light = map(float, radii), [float(v) for v in light]
    along = (x * dx + y * dy) / max(dx * dx + dy * dy, 1e-6)
    np.clip(along, 0, 1, out=along)
    radius = r0 + along * (r1 - r0)
    x, y = x - along * dx, y - along * dy  # from the axis
    distance = np.hypot(x, y)
    coverage = (radius - distance + 0.5).clip(0, 1)
    # Lambert's law on a round cross-section.
    depth = np.sqrt((radius * radius - distance * distance).clip(0))
    shade = (x * light[0] + y * light[1] + depth * light[2]) / radius
    shade = 0.5 + 0.6 * shade.clip(0)
    if stripes:
        length = float(np.hypot(dx, dy))
        shade *= 1 - 0.45 * (np.sin(along * (length * stripes * 2 * np.pi)) > 0)
    window = image[rows, columns]
    paint = shade[..., None] * np.asarray(colour, np.float32)
    window += coverage[..., None] * (paint - window)
    return (rows, columns), coverage >= 0.5


def draw_person(image, person: Person, light):
    """Draw a person, far parts first.

    Args:
        image (np.ndarray): (H, W, 3) float32, changed in place.
        person (Person): With ``root`` and ``stature`` in pixels.
        light (array): (3,) unit vector towards the light, camera axes.

    Returns:
        tuple: (H, W) int8, index into ``PART_NAMES`` of the part seen at each pixel, -1
        elsewhere; (17, 2) keypoints, pixels; (17,) bool, whether they face the camera
        (only keypoints of the face can look away).
    """
    points = joints(person.body, person.pose)
    seen = np.full(image.shape[:2], -1, np.int8)
    depths = [
        (points[part.start][2] + points[part.end][2]) / 2 + part.lift for part in PARTS
    ]
    for i in np.argsort(depths, kind='stable'):
        part = PARTS[i]
        if person.look[part.colour] is None:
            continue
        thickness = person.body.girth
        if part.name in HEAD_PARTS:
            thickness = person.body.head
        ends = [
            person.root + person.stature * points[name][:2]
            for name in (part.start, part.end)
        ]
        radii = np.array(part[3:5]) * (thickness * person.stature)
        stripes = person.look['stripes'] if part.colour == 'shirt' else 0
        drawn = draw_capsule(
            image,
            *ends,
            radii,
            person.look[part.colour],
            light,
            stripes / person.stature,
        )
        if drawn is not None:
            seen[drawn[0]][drawn[1]] = PART_NAMES.index(part.name)
    keypoints = np.array([points[name] for name in KEYPOINTS])
    faces = keypoints[:, 2] > points['head'][2] - 0.15 * person.body.head
    faces[5:] = True
    return seen, person.root + person.stature * keypoints[:, :2], faces


def tint(rng, shape) -> np.ndarray:
    """(*shape, 3) float32 colours, mostly muted."""
    grey = rng.uniform(20, 235, (*shape, 1))
    colour = rng.uniform(20, 235, (*shape, 3))
    return (grey + rng.beta(1, 2) * (colour - grey)).astype(np.float32)


def background(rng, size) -> np.ndarray:
    """A busy backdrop: a colour gradient, noise of several grains, clutter.

    Args:
        rng (np.random.Generator): Source of all chance.
        size (tuple): (width, height).

    Returns:
        np.ndarray: (height, width, 3) float32, 0-255.
    """
    width = size[0]
    image = cv2.resize(tint(rng, (2, 2)), size)
    for cells in (4, 16, 64):
        grain = (tint(rng, (cells * 3 // 4, cells)) - 128) * rng.uniform(0.05, 0.5)
        image += cv2.resize(grain.astype(np.float32), size)
    for _ in range(rng.integers(4, 22)):
        colour = tint(rng, ()).tolist()
        centre = (rng.random(2) * size).astype(int).tolist()
        extent = (rng.uniform(0.02, 0.25, 2) * width).astype(int).tolist()
        kind, angle = rng.integers(4), float(rng.uniform(0, 180))
        if kind == 0:
            cv2.ellipse(image, centre, extent, angle, 0, 360, colour, -1, cv2.LINE_AA)
        elif kind == 1:
            box = cv2.boxPoints((centre, np.multiply(extent, 2).tolist(), angle))
            cv2.fillConvexPoly(image, box.astype(int), colour, cv2.LINE_AA)
        elif kind == 2:  # a fence, blinds, bricks
            step, thick = int(rng.integers(6, 20)), int(rng.integers(1, 5))
            x, y = centre
            for i in range(int(rng.integers(3, 12))):
                top = (x + i * step, y)
                cv2.line(image, top, (top[0], y + extent[1]), colour, thick)
        else:  # like a limb, but nobody's
            end = np.add(centre, rng.normal(0, 0.15 * width, 2))
            radii = rng.uniform(0.01, 0.04, 2) * width
            draw_capsule(image, np.array(centre), end, radii, colour, (0.3, -0.5, 0.8))
    if rng.random() < 0.5:  # out of focus
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 2.5))
    return image.clip(0, 255)
