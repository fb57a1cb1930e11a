"""Videos of generated people with identities: scenes over time, labelled by frames."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from ogn_mm.structures.keypoint import POSETRACK18_JOINTS

from .body import Person, joints, sample_body, sample_look, sample_pose
from .drawing import background
from .motion import (
    Camera,
    Mover,
    sample_camera,
    sample_idling,
    sample_walk,
    seen_by,
)
from .scene import Prop, paint, sample_prop

FRAME_RATE = 12.0
# The scene is this much larger than the picture, for the camera to look around.
SCENE_MARGIN = 0.5


@dataclass(frozen=True)
class VideoScene:
    """A scene in motion. Pixels of the scene are those of the picture at time 0.

    ``ignored`` is the box x1, y1, x2, y2 of a far crowd that nobody labels, or None.
    ``exposure`` is the share of the time between two frames that the shutter is open.
    """

    backdrop: np.ndarray
    movers: list
    props: list
    camera: Camera
    light: np.ndarray
    exposure: float
    ignored: tuple | None


def sample_scene(rng, size, max_people: int) -> VideoScene:
    """Draw a backdrop, people on the ground before it, props, a camera.

    All stand on one ground, so the lower somebody's feet, the larger and nearer they
    are. Some are dressed alike.
    """
    width, height = size
    margin = np.array(size) * SCENE_MARGIN
    light = rng.normal((0, -0.5, 0.9), (0.5, 0.3, 0.2))
    light /= np.linalg.norm(light)
    backdrop = background(rng, tuple((size + 2 * margin).astype(int).tolist()))
    horizon = height * rng.uniform(0.15, 0.35)
    share = rng.uniform(0.85, 1.1)
    movers = []
    for _ in range(rng.integers(max(2, max_people // 2), max_people + 1)):
        mover = sample_mover(rng, size, horizon, share)
        if movers and rng.random() < 0.2:  # dressed alike
            look = movers[-1].person.look
            mover = replace(mover, person=replace(mover.person, look=look))
        movers.append(mover)
    props = []
    for mover in movers:
        if rng.random() < 0.15:
            person = mover.at(0)
            props.append((person.stature, sample_prop(rng, person)))
    ignored = None
    if rng.random() < 0.25:
        ignored = paint_crowd(rng, backdrop, size, horizon, share, light)
    exposure = float(rng.uniform(0.15, 0.5)) if rng.random() < 0.5 else 0.0
    camera = sample_camera(rng, size)
    return VideoScene(backdrop, movers, props, camera, light, exposure, ignored)


def sample_mover(rng, size, horizon: float, share: float) -> Mover:
    """Somebody who is in the picture or walks towards it, three in four do."""
    width, height = size
    pose = sample_pose(rng)
    if rng.random() < 0.75:
        x = width * rng.uniform(-1, 2)
        inwards = 1 if x < 0 else -1
        direction = inwards if not 0 <= x <= width else rng.choice((-1, 1))
        pose, swing, cadence, speed = sample_walk(rng, pose, direction)
    else:
        x = width * rng.uniform(0.1, 0.9)
        pose, swing, cadence, speed = sample_idling(rng, pose)
    person = Person(sample_body(rng), sample_look(rng), pose)
    feet = (float(x), float(horizon + height * rng.uniform(0.35, 0.9) / share))
    phase = float(rng.uniform(0, 2 * np.pi))
    return Mover(person, swing, cadence, speed, feet, horizon, share, phase)


def paint_crowd(rng, backdrop, size, horizon, share, light) -> tuple:
    """Paint small people who stand far away; returns the box around them."""
    width, height = size
    stature = height * rng.uniform(0.14, 0.2)
    left = width * rng.uniform(0.05, 0.6)
    people = []
    for _ in range(rng.integers(4, 9)):
        person = Person(sample_body(rng), sample_look(rng), sample_pose(rng))
        x, deeper = left + width * rng.uniform(0, 0.3), rng.uniform(1, 1.2)
        y = horizon + stature * deeper / share - 0.5 * stature * deeper
        people.append(replace(person, root=(x, y), stature=stature * deeper))
    shift = np.array(size) * SCENE_MARGIN
    inside = [replace(p, root=tuple((p.root + shift).tolist())) for p in people]
    _, owners, _ = paint(backdrop, inside, light)
    x, y, w, h = cv2.boundingRect((owners >= 0).astype(np.uint8))
    corner = (x, y) - shift
    return (*corner.tolist(), *(corner + (w, h)).tolist())


def picture_at(scene: VideoScene, time: float):
    """What the camera sees at an instant.

    Returns:
        tuple: The picture, (H, W, 3) float32; (H, W) int, index of the mover seen at
        each pixel, or -1; people by this index as (person, silhouette).
    """
    scale, shift = scene.camera.at(time)
    offset = shift - scale * np.array(scene.camera.size) * SCENE_MARGIN
    matrix = np.array([[scale, 0, offset[0]], [0, scale, offset[1]]])
    image = cv2.warpAffine(
        scene.backdrop, matrix, scene.camera.size, borderMode=cv2.BORDER_REFLECT_101
    )
    people = [mover.at(time) for mover in scene.movers]
    things = [
        (person.stature, i, seen_by(scene.camera, person, time))
        for i, person in enumerate(people)
    ]
    for depth, prop in scene.props:
        start, end = (scale * np.array(p) + shift for p in (prop.start, prop.end))
        radii = tuple(scale * r for r in prop.radii)
        things.append((depth, -1, Prop(tuple(start), tuple(end), radii, prop.colour)))
    things.sort(key=lambda thing: thing[0])
    _, owners, drawn = paint(image, [thing for *_, thing in things], scene.light)
    # index of a thing -> of a mover; the last one is that of -1
    numbers = np.array([i for _, i, _ in things] + [-1])
    found = {
        int(numbers[index]): (things[index][2], silhouette)
        for index, (silhouette, *_) in drawn.items()
    }
    return image, numbers[owners], found


def frame_at(scene: VideoScene, frame: int):
    """A frame: the mean picture while the shutter is open, labelled at its middle.

    Returns:
        tuple: As `picture_at`.
    """
    moments = np.linspace(-0.5, 0.5, 5) * scene.exposure if scene.exposure else [0.0]
    pictures = [picture_at(scene, (frame + m) / FRAME_RATE) for m in moments]
    image = np.mean([picture for picture, *_ in pictures], axis=0, dtype=np.float32)
    _, owners, people = pictures[len(pictures) // 2]
    return image, owners, people


def label(person: Person, silhouette, own) -> dict | None:
    """PoseTrack's fields of one person; None if no joint of theirs is in sight.

    A joint is labelled (flag 1) where the person is seen within a pixel of it, which is
    what annotators do: what others hide or the image cuts off is not labelled (flag 0
    at 0, 0), what the person's own body hides is. Ears never are.

    Args:
        person (Person): In pixels of the picture.
        silhouette (np.ndarray): (H, W) bool, also where others are before it.
        own (np.ndarray): (H, W) bool, where the person is seen.
    """
    points = joints(person.body, person.pose)
    places = np.array([points[name][:2] for name in POSETRACK18_JOINTS])
    places = (places * person.stature + person.root).round(1)
    height, width = own.shape
    x, y = np.rint(places).astype(int).T
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    near = cv2.dilate(own.astype(np.uint8), np.ones((3, 3), np.uint8))
    flags = np.zeros(len(places))
    flags[inside] = near[y[inside], x[inside]]
    flags[[name.endswith('ear') for name in POSETRACK18_JOINTS]] = 0
    if not flags.any():
        return None
    triplets = np.c_[places, np.ones(len(places))] * flags[:, None]
    return dict(
        bbox=list(cv2.boundingRect(silhouette.astype(np.uint8))),
        bbox_head=head_box(person, points),
        keypoints=[int(v) if v == int(v) else v for v in triplets.ravel().tolist()],
    )


def head_box(person: Person, points: dict) -> list:
    """The head's box x, y, width, height, also outside the picture."""
    half = 1.1 * person.body.head
    spots = np.array(
        [
            *(points[name][:2] for name in ('head_top', 'head_bottom')),
            *(points['head'][:2] + (side, 0) for side in (-half, half)),
        ]
    )
    spots = (spots * person.stature + person.root).round(1)
    return [*spots.min(0).tolist(), *np.ptp(spots, axis=0).round(1).tolist()]


def ignore_region(scene: VideoScene, frame: int) -> list | None:
    """The corners, (4, 2), of the far crowd's box in a frame."""
    if scene.ignored is None:
        return None
    scale, shift = scene.camera.at(frame / FRAME_RATE)
    x1, y1, x2, y2 = scene.ignored
    corners = np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])
    return (corners * scale + shift).round(1).tolist()


def generate_video(seed: int, split: int, index: int, frames: int, size, max_people):
    """Video ``index`` of a data set, frame by frame; a function of its arguments.

    Args:
        seed (int): Of the data set, >= 0.
        split (int): Streams of different splits are independent.
        index (int): >= 0.
        frames (int): >= 1. More frames do not change the first ones.
        size (tuple): (width, height), pixels.
        max_people (int): >= 2; there are half of this to this many.

    Yields:
        tuple: (height, width, 3) uint8 BGR; people's fields, see `label`, and
        ``track_id``, from 0; the ignore region's corners or None.
    """
    # images of the same seed have other streams
    rng = np.random.default_rng(
        np.random.SeedSequence(seed, spawn_key=(2 + split, index))
    )
    scene = sample_scene(rng, size, max_people)
    gain, noise = rng.uniform(0.65, 1.2), rng.uniform(0, 7)
    for frame in range(frames):
        image, owners, people = frame_at(scene, frame)
        labels = []
        for track, (person, silhouette) in sorted(people.items()):
            fields = label(person, silhouette, owners == track)
            if fields:
                labels.append(dict(track_id=track) | fields)
        grain = rng.standard_normal(image.shape[:2], np.float32)[..., None]
        image = image * np.float32(gain) + grain * np.float32(noise)
        image = image.clip(0, 255).astype(np.uint8)
        yield image, labels, ignore_region(scene, frame)
