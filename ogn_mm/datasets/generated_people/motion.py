"""How people of a video move: everything is a smooth function of time, in seconds."""

from dataclasses import dataclass, replace

import numpy as np

from .body import LIMB_ANGLES, TORSO_ANGLES, Person

# Each angle of a gait: mean, amplitude and phase, in degrees. The thigh is furthest
# forward at a phase of 90, just when the heel strikes; the knee bends most as the leg
# swings past the other one; arms swing against the leg of their side.
GAIT = dict(
    hip_flex=(6, 22, 0),
    knee=(30, 28, 100),
    shoulder_flex=(0, 20, 180),
    elbow=(28, 10, 180),
)
SWAY = dict(turn=(0, 6, 180), bend=(0, 2, 90), head_turn=(0, 4, 0), lean=(4, 1, 45))
LIMITS = {name: values[:2] for name, values in (TORSO_ANGLES | LIMB_ANGLES).items()}
# Seconds in which a camera swings to and fro.
SWING = 24.0
# A step with these angles, in statures; the height that the body rises and sinks by.
STEP, BOB = 0.35, 0.012


@dataclass(frozen=True)
class Camera:
    """A camera that pans, zooms and shakes; it swings back after `SWING` / 4 seconds.

    ``size`` (width, height) and ``pan`` are in pixels, the latter a second at first;
    ``zoom`` is the rate of growth a second at first; ``shake`` is in pixels.
    """

    size: tuple
    pan: tuple = (0.0, 0.0)
    zoom: float = 0.0
    shake: float = 0.0

    def at(self, time: float) -> tuple[float, np.ndarray]:
        """Scale and shift, (2,), from the scene to the picture."""
        swung = SWING / (2 * np.pi) * np.sin(2 * np.pi / SWING * time)
        scale = float(np.exp(self.zoom * swung))
        centre = (np.array(self.size) - 1) / 2
        tremor = np.sin(2 * np.pi * np.array((1.7, 2.3)) * time + (0, 1))
        looked_at = centre + np.multiply(self.pan, swung) + self.shake * tremor
        return scale, centre - scale * looked_at


@dataclass(frozen=True)
class Mover:
    """Somebody who walks, runs or stands about.

    ``person`` is how they look and hold themselves at ease. ``swing`` maps angles of
    the pose to mean, amplitude and phase in degrees. ``cadence`` is in strides, that is
    pairs of steps, a second; ``speed`` in statures a second, in the direction that the
    body faces. ``feet`` is where they stand at time 0, in pixels; their stature is
    ``height_share`` of the way from the horizon to their feet.
    """

    person: Person
    swing: dict
    cadence: float
    speed: float
    feet: tuple
    horizon: float
    height_share: float
    phase: float = 0.0

    def at(self, time: float) -> Person:
        """The person at a time, in the scene's pixels."""
        heading = np.deg2rad(self.person.pose['yaw'])
        depth = self.feet[1] - self.horizon
        # Coming closer, they look larger and stand lower in the picture. Ten statures
        # is about the distance at which a person fills a quarter of the picture. Nobody
        # grows or shrinks without end, in videos of an hour.
        nearer = np.cos(heading) * self.speed * time / 10
        growth = float(np.exp(np.clip(nearer, -1.5, 1)))
        way = np.sin(heading) * self.speed * time * depth * self.height_share
        turn = 2 * np.pi * self.cadence * time + self.phase
        pose = dict(self.person.pose)
        for name, (mean, amplitude, phase) in self.swing.items():
            angle = mean + amplitude * np.sin(turn + np.deg2rad(phase))
            pose[name] = float(np.clip(angle, *limits_of(name)))
        body = self.person.body
        stature = depth * growth * self.height_share
        rise = (
            body.thigh + body.shank + 0.03 + BOB * np.cos(2 * turn) * (self.speed > 0)
        )
        root = (
            float(self.feet[0] + way * growth),
            float(self.horizon + depth * growth - rise * stature),
        )
        return replace(self.person, pose=pose, root=root, stature=float(stature))


def limits_of(name: str) -> tuple:
    """Lowest and highest value of an angle, of one side or of the torso."""
    return LIMITS[name if name in LIMITS else name.split('_', 1)[1]]


def seen_by(camera: Camera, person: Person, time: float) -> Person:
    """A person of the scene as the camera shows them."""
    scale, shift = camera.at(time)
    root = scale * np.array(person.root) + shift
    return replace(person, root=tuple(root.tolist()), stature=scale * person.stature)


def sample_camera(rng, size) -> Camera:
    """A camera that is still in a third of the videos, or pans and zooms."""
    if rng.random() < 1 / 3:
        return Camera(size)
    pan = rng.normal(0, (0.12, 0.02), 2) * size[0]
    zoom, shake = rng.normal(0, 0.06), rng.uniform(0, 0.006) * size[0]
    return Camera(size, tuple(pan.tolist()), float(zoom), float(shake))


def sample_walk(rng, pose: dict, direction: int) -> tuple[dict, dict, float, float]:
    """A gait: the pose at ease, the swing, the cadence and the speed.

    One in six runs: longer and faster steps, bent arms. ``direction`` is 1 for people
    who walk to the right, -1 for others.
    """
    running = rng.random() < 1 / 6
    vigour = rng.normal(1.5 if running else 1, 0.12)
    cadence = rng.normal(1.35 if running else 0.9, 0.08)
    swing = {}
    for name, (mean, amplitude, phase) in GAIT.items():
        mean = mean + rng.normal(0, 3) + 55 * (running and name == 'elbow')
        for side, lag in (('left_', 0), ('right_', 180)):
            swing[side + name] = (mean, amplitude * vigour, phase + lag)
    for name, (mean, amplitude, phase) in SWAY.items():
        swing[name] = (mean + rng.normal(0, 2), amplitude * vigour, phase)
    # more across the picture than towards the camera or away
    pose = pose | dict(yaw=90 * direction + rng.normal(0, 22), pitch=0, roll=0)
    return pose, swing, float(cadence), float(2 * STEP * vigour * cadence)


def sample_idling(rng, pose: dict) -> tuple[dict, dict, float, float]:
    """Somebody who stays: limbs, head and torso move slowly about a pose."""
    names = [name for name in pose if name not in ('yaw', 'pitch', 'roll')]
    still = ('hip', 'knee')
    swing = {
        name: (pose[name], rng.uniform(0, 14), rng.uniform(0, 360))
        for name in names
        if not any(part in name for part in still)
    }
    return pose | dict(pitch=0, roll=0), swing, float(rng.uniform(0.15, 0.5)), 0.0
