"""Scenes of several people and objects that hide them, and their COCO annotations."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from .body import KEYPOINTS, Person, joints, sample_body, sample_look, sample_pose
from .drawing import SEEN_AT, background, draw_capsule, draw_person

VISIBLE, HIDDEN, OUTSIDE = 2, 1, 0
# By default people stay apart: no box covers more of a smaller one.
MAX_OVERLAP = 0.45


@dataclass(frozen=True)
class Prop:
    """An object in the scene: a post, a bench, a ball. Pixels; colour BGR."""

    start: tuple
    end: tuple
    radii: tuple
    colour: tuple


def paint(image, things, light):
    """Draw people and props into an image, in place.

    Args:
        image (np.ndarray): (H, W, 3) float32, BGR, 0-255.
        things (list[Person | Prop]): From far to near.
        light (array): (3,) unit vector towards the light, camera axes.

    Returns:
        tuple: (H, W) int8, index of the part seen at each pixel; (H, W) int16, index in
        ``things`` of the person seen there; both -1 where no person is. Then a dict of
        the people in the image by this index: silhouette, (H, W) bool, and the
        keypoints and faces that `draw_person` gives.
    """
    parts = np.full(image.shape[:2], -1, np.int8)
    owners = np.full(image.shape[:2], -1, np.int16)
    people = {}
    for index, thing in enumerate(things):
        if isinstance(thing, Prop):
            drawn = draw_capsule(
                image, thing.start, thing.end, thing.radii, thing.colour, light
            )
            if drawn is not None:
                parts[drawn[0]][drawn[1]] = owners[drawn[0]][drawn[1]] = -1
            continue
        seen, keypoints, faces = draw_person(image, thing, light)
        silhouette = seen >= 0
        if not silhouette.any():
            continue
        parts[silhouette] = seen[silhouette]
        owners[silhouette] = index
        people[index] = (silhouette, keypoints, faces)
    return parts, owners, people


def render(backdrop, things, light=(0.35, -0.55, 0.76)):
    """Draw people and props before a backdrop, and annotate the people.

    Args:
        backdrop (np.ndarray): (H, W, 3) float32, BGR, 0-255; not changed.
        things (list[Person | Prop]): From far to near.
        light (array): (3,) unit vector towards the light, camera axes.

    Returns:
        tuple: The picture, (H, W, 3) float32; one annotation for each person who is
        in the image (see `annotate`); (H, W) int16, index of the annotation seen at
        each pixel, -1 elsewhere.
    """
    image = backdrop.copy()
    parts, owners, people = paint(image, things, light)
    annotations = [
        annotate(*person, np.where(owners == index, parts, -1))
        for index, person in people.items()
    ]
    # index of a thing -> of an annotation; the last one is that of -1
    numbers = np.full(len(things) + 1, -1, np.int16)
    numbers[list(people)] = np.arange(len(people))
    return image, annotations, numbers[owners]


def annotate(silhouette, keypoints, faces, seen) -> dict:
    """COCO's fields of one person.

    Box and area are those of the whole silhouette inside the image, also where
    something nearer hides it. A keypoint's flag is 2 where one of its own parts is seen
    at its pixel, 1 where anything hides it (another person, an object, the person's own
    body), and 0, with coordinates 0, outside the image.

    Args:
        silhouette (np.ndarray): (H, W) bool.
        keypoints (np.ndarray): (17, 2), pixels.
        faces (np.ndarray): (17,) bool, False for what is on the head's far side.
        seen (np.ndarray): (H, W), index of this person's part at each pixel, or -1.
    """
    height, width = silhouette.shape
    # Rounded as written, so that flag and coordinates agree.
    keypoints = keypoints.round(2)
    x, y = np.rint(keypoints).astype(int).T
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    part = np.full(len(keypoints), -1)
    part[inside] = seen[y[inside], x[inside]]
    visible = (part >= 0) & SEEN_AT[np.arange(len(keypoints)), part] & faces
    flags = np.where(visible, VISIBLE, HIDDEN)
    flags[~inside] = OUTSIDE
    triplets = np.c_[keypoints, flags] * inside[:, None]
    left, top, box_width, box_height = cv2.boundingRect(silhouette.view(np.uint8))
    return dict(
        bbox=[left, top, box_width, box_height],
        area=int(silhouette.sum()),
        keypoints=[int(v) if v == int(v) else v for v in triplets.ravel().tolist()],
        num_keypoints=int(inside.sum()),
        iscrowd=0,
    )


def place(rng, person: Person, size, taken: list, max_overlap: float):
    """Move a person to a place where they overlap no other too much.

    Args:
        taken (list): (4,) boxes x1, y1, x2, y2 of those placed before; the new box is
            added.
        max_overlap (float): With any other box, as `overlap` measures it.

    Returns:
        Person | None: None if no place was found.
    """
    points = joints(person.body, person.pose)
    spots = np.array([points[name][:2] for name in KEYPOINTS]) * person.stature
    low, high = spots.min(0), spots.max(0)
    for _ in range(10):
        # Now and then part of the person is outside the image.
        margin = (high - low) * (0.5 if rng.random() < 0.85 else 0.2)
        room = np.maximum(size - 2 * margin, 1)
        root = margin + rng.random(2) * room - (low + high) / 2
        box = np.r_[root + low, root + high]
        if all(overlap(box, other) < max_overlap for other in taken):
            taken.append(box)
            return replace(person, root=tuple(root.tolist()))
    return None


def overlap(a, b) -> float:
    """Intersection of two boxes (x1, y1, x2, y2) over the smaller one's area."""
    sides = (np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])).clip(0)
    return sides.prod() / min((a[2:] - a[:2]).prod(), (b[2:] - b[:2]).prod())


def sample_things(rng, size, max_people: int, max_overlap: float) -> list:
    """Draw people and props, from far (small) to near (large)."""
    count = int(rng.integers(1, max_people + 1))
    statures = np.sort(size[1] * rng.uniform(0.4, 1.05, count) ** 1.2)
    things, taken = [], []
    for stature in statures:
        person = Person(sample_body(rng), sample_look(rng), sample_pose(rng))
        person = replace(person, stature=float(stature))
        person = place(rng, person, size, taken, max_overlap)
        if person is None:
            continue
        things.append(person)
        if rng.random() < 0.25:
            things.append(sample_prop(rng, person))
    return things


def sample_prop(rng, person: Person) -> Prop:
    """An object somewhere before a person: upright, level or round."""
    centre = person.root + rng.normal(0, 0.22, 2) * person.stature
    direction = np.array(((0, 1), (1, 0), (0, 0))[rng.integers(3)])
    half = direction * rng.uniform(0.15, 0.5) * person.stature
    radii = rng.uniform(0.02, 0.07, 2) * person.stature
    colour = rng.uniform(15, 245, 3)
    return Prop(*map(tuple, (centre - half, centre + half, radii, colour)))


def generate_image(
    seed: int, split: int, index: int, size, max_people: int, max_overlap=MAX_OVERLAP
):
    """Image ``index`` of a data set: a pure function of its arguments.

    Args:
        seed (int): Of the data set, >= 0.
        split (int): Streams of different splits are independent.
        index (int): >= 0.
        size (tuple): (width, height), pixels.
        max_people (int): People an image, 1 to this many.
        max_overlap (float): Of two people's boxes, in (0, 1]; people for whom there is
            no room are left out.

    Returns:
        tuple: (height, width, 3) uint8 BGR; annotations as `annotate` gives them;
        (height, width) int16 index of the annotation seen at each pixel, or -1.
    """
    stream = np.random.SeedSequence(seed, spawn_key=(split, index))
    rng = np.random.default_rng(stream)
    light = rng.normal((0, -0.5, 0.9), (0.5, 0.3, 0.2))
    light /= np.linalg.norm(light)
    backdrop = background(rng, size)
    things = sample_things(rng, size, max_people, max_overlap)
    image, annotations, owners = render(backdrop, things, light)
    # The camera: exposure, focus, noise.
    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 0.9))
    image *= np.float32(rng.uniform(0.65, 1.2))
    noise = rng.standard_normal(image.shape[:2], np.float32)
    image += noise[..., None] * np.float32(rng.uniform(0, 9))
    return image.clip(0, 255).astype(np.uint8), annotations, owners
