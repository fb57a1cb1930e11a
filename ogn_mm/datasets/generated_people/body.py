"""Articulated people: measures, looks, poses within joint limits, and where joints are.

Camera axes: x to the right and y down in the image, z towards the camera
(orthographic view). A person's own axes: x to their left, y down, z forward; so a
person with yaw 0 faces the camera and their left is on the right of the image.
Lengths are in units of the person's stature, angles in degrees.
"""

from dataclasses import dataclass, fields

import numpy as np

# COCO's order; tests hold it against MMPose's metainfo.
KEYPOINTS = ('nose', 'left_eye', 'right_eye', 'left_ear', 'right_ear',
             'left_shoulder', 'right_shoulder', 'left_elbow', 'right_elbow',
             'left_wrist', 'right_wrist', 'left_hip', 'right_hip', 'left_knee',
             'right_knee', 'left_ankle', 'right_ankle')  # fmt: skip

# Each angle: lowest, highest, at rest, and standard deviation around an action's value.
TORSO_ANGLES = dict(
    lean=(-20, 60, 0, 5),
    bend=(-25, 25, 0, 5),
    turn=(-35, 35, 0, 5),
    head_turn=(-60, 60, 0, 15),
    head_nod=(-25, 35, 0, 10),
)
LIMB_ANGLES = dict(
    shoulder_flex=(-45, 170, 0, 14),
    shoulder_spread=(5, 165, 16, 10),
    shoulder_twist=(-60, 60, 0, 18),
    elbow=(3, 145, 25, 20),
    hip_flex=(-25, 110, 0, 9),
    hip_spread=(-2, 45, 6, 6),
    knee=(2, 130, 8, 9),
)
# Odds, then the angles that are not at rest, on one side and on the other.
ACTIONS = dict(
    stand=(0.34, dict()),
    walk=(0.26, dict(hip_flex=(28, -16), knee=(14, 30), shoulder_flex=(-28, 28))),
    run=(0.07, dict(lean=(12,), hip_flex=(55, -18), knee=(65, 50),
                    shoulder_flex=(-40, 45), elbow=(85, 85))),
    sit=(0.1, dict(hip_flex=(85, 80), knee=(85, 75), shoulder_flex=(25, 30))),
    wave=(0.09, dict(shoulder_spread=(130, 16), elbow=(35, 25))),
    raise_arms=(0.07, dict(shoulder_spread=(150, 145), elbow=(20, 25))),
    reach=(0.05, dict(shoulder_flex=(85, 70), elbow=(15, 20), lean=(10,))),
    crouch=(0.02, dict(lean=(30,), hip_flex=(85, 75), knee=(100, 95))),
)  # fmt: skip


@dataclass(frozen=True)
class Body:
    """A person's measures in units of stature; ``girth`` scales all thicknesses."""

    torso: float = 0.27
    shoulders: float = 0.13  # half the distance between the shoulder joints
    hips: float = 0.07  # half the distance between the hip joints
    upper_arm: float = 0.175
    forearm: float = 0.145
    thigh: float = 0.235
    shank: float = 0.235
    head: float = 0.07  # half the head's width
    girth: float = 1.0


@dataclass(frozen=True)
class Person:
    """All that it takes to draw a person; a video would vary ``pose`` and ``root``.

    ``look`` maps the colour slots that `drawing.PARTS` name to BGR, 0-255, or to None
    where the part is left out, and ``stripes`` to the shirt's stripes per stature.
    ``pose`` maps names to degrees: ``yaw``, ``pitch``, ``roll`` of the whole body, the
    names of ``TORSO_ANGLES``, and those of ``LIMB_ANGLES`` after ``left_`` and
    ``right_``. ``root`` (x, y) is where the pelvis is and ``stature`` the standing
    height, both in pixels.
    """

    body: Body
    look: dict
    pose: dict
    root: tuple = (0.0, 0.0)
    stature: float = 1.0


def sample_body(rng) -> Body:
    """Draw measures: adults and, with larger heads and shorter limbs, children."""
    child = rng.random() < 0.2
    factors = rng.normal(1, 0.05, 8).clip(0.85, 1.15)
    factors[3:7] *= 0.92 if child else 1  # arms and legs
    factors[7] *= 1.45 if child else 1.15  # head
    lengths = [field.default for field in fields(Body)[:8]]
    return Body(*(factors * lengths).tolist(), girth=float(rng.uniform(0.85, 1.3)))


def sample_look(rng) -> dict:
    """Draw the colours of skin, hair, clothes, and which extras there are."""
    skin = np.array([150, 185, 235]) * rng.uniform(0.35, 1) + rng.normal(0, 6, 3)
    hair = np.array([35, 55, 80]) * rng.uniform(0.2, 2.2)
    hair = np.full(3, hair.mean()) if rng.random() < 0.3 else hair
    shirt, trousers, shoes = rng.uniform(15, 245, (3, 3))
    accent = shirt + np.where(shirt > 128, -95, 95)
    sleeves = rng.choice(3, p=(0.15, 0.4, 0.45))  # none, short, long
    legs = rng.choice(3, p=(0.05, 0.25, 0.7))
    return dict(
        skin=skin, ear=skin * 0.93, nose=skin * 0.8, lips=skin * (0.6, 0.55, 0.85),
        white=(235, 235, 235), black=(25, 20, 20), hair=hair,
        long_hair=hair if rng.random() < 0.35 else None,
        pack=accent if rng.random() < 0.2 else None,
        shirt=shirt, accent=accent, trousers=trousers, shoes=shoes * 0.6,
        upper_arm=shirt if sleeves > 0 else skin,
        forearm=shirt if sleeves > 1 else skin,
        thigh=trousers if legs > 0 else skin,
        shank=trousers if legs > 1 else skin,
        stripes=rng.uniform(8, 22) if rng.random() < 0.4 else 0,
    )  # fmt: skip


def sample_pose(rng) -> dict:
    """Draw an action, scatter its angles within the joint limits, turn the body."""
    odds, actions = zip(*ACTIONS.values(), strict=True)
    action = actions[rng.choice(len(actions), p=odds)]
    sides = rng.permutation(('left_', 'right_'))
    pose = {}
    for angles, prefixes in ((TORSO_ANGLES, ('',)), (LIMB_ANGLES, sides)):
        for name, (low, high, rest, spread) in angles.items():
            means = action.get(name, (rest,) * len(prefixes))
            for prefix, mean in zip(prefixes, means, strict=True):
                pose[prefix + name] = np.clip(rng.normal(mean, spread), low, high)
    facing = rng.choice((0, 180, 90, -90), p=(0.56, 0.26, 0.09, 0.09))
    pose |= dict(yaw=rng.normal(facing, 18), pitch=rng.normal(0, 6))
    pose['roll'] = rng.normal(0, 5)
    if rng.random() < 0.05:  # lying, falling, doing a cartwheel
        pose['roll'] += rng.choice((-1, 1)) * rng.uniform(50, 120)
    return pose


def rotation(axis: str, degrees: float) -> np.ndarray:
    """(3, 3) rotation: 'x' lifts what hangs to the front, 'y' turns the front to +x,
    'z' is clockwise in the image."""
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    rows = dict(
        x=((1, 0, 0), (0, c, -s), (0, s, c)),
        y=((c, 0, s), (0, 1, 0), (-s, 0, c)),
        z=((c, -s, 0), (s, c, 0), (0, 0, 1)),
    )
    return np.array(rows[axis])


def joints(body: Body, pose: dict) -> dict:
    """Forward kinematics.

    Returns:
        dict: Name to (3,) position in camera axes, the pelvis at the origin, in units
        of stature: the 17 COCO keypoints, PoseTrack's ``head_top`` and ``head_bottom``,
        and the points that drawing needs besides.
    """
    world = rotation('z', pose['roll']) @ rotation('x', pose['pitch'])
    pelvis = world @ rotation('y', pose['yaw'])
    spine = pelvis @ rotation('z', pose['bend']) @ rotation('x', -pose['lean'])
    chest = spine @ rotation('y', pose['turn'])
    head = chest @ rotation('y', pose['head_turn']) @ rotation('x', -pose['head_nod'])

    neck = chest @ (0, -body.torso - 0.02, 0)
    r = body.head
    centre = neck + head @ (0, -0.025 - 1.1 * r, 0.01)
    points = dict(pelvis=np.zeros(3), neck=neck, head=centre)
    on_head = dict(
        nose=(0, 0.22, 1.12), mouth=(0, 0.62, 0.92), chin=(0, 0.35, 0.05),
        brow=(0, -0.02, 0.06), hair=(0, -0.33, -0.2), nape=(0, 0.9, -0.55),
        head_top=(0, -1.45, -0.2), head_bottom=(0, 1.1, 0),
        nose_root=(0, -0.1, 0.98), left_eye=(0.4, -0.1, 0.9),
        right_eye=(-0.4, -0.1, 0.9), left_ear=(0.98, 0.08, -0.05),
        right_ear=(-0.98, 0.08, -0.05),
    )  # fmt: skip
    points.update({k: centre + head @ np.multiply(v, r) for k, v in on_head.items()})
    on_chest = dict(
        collar=(0, -body.torso, 0.05), badge=(0.07, -0.75 * body.torso, 0.068),
        pack_top=(0, -0.85 * body.torso, -0.08), pack_end=(0, -0.3 * body.torso, -0.09),
    )  # fmt: skip
    points.update({k: chest @ v for k, v in on_chest.items()})
    points['waist'] = pelvis @ (0, -0.03, 0)
    points['buckle'] = pelvis @ (0, -0.06, 0.066)
    for side, sign in (('left_', 1), ('right_', -1)):
        angle = {name: pose[side + name] for name in LIMB_ANGLES}
        shoulder = chest @ (sign * body.shoulders, -body.torso, 0)
        arm = chest @ rotation('z', -sign * angle['shoulder_spread'])
        arm = arm @ rotation('x', angle['shoulder_flex'])
        arm = arm @ rotation('y', -sign * angle['shoulder_twist'])
        elbow = shoulder + arm @ (0, body.upper_arm, 0)
        arm = arm @ rotation('x', angle['elbow'])
        wrist = elbow + arm @ (0, body.forearm, 0)
        hip = pelvis @ (sign * body.hips, 0, 0)
        leg = pelvis @ rotation('z', -sign * angle['hip_spread'])
        leg = leg @ rotation('x', angle['hip_flex'])
        knee = hip + leg @ (0, body.thigh, 0)
        leg = leg @ rotation('x', -angle['knee'])
        ankle = knee + leg @ (0, body.shank, 0)
        limb = dict(
            shoulder=shoulder, elbow=elbow, wrist=wrist, hip=hip,
            knee=knee, ankle=ankle, hand=wrist + arm @ (0, 0.05, 0),
            toe=ankle + leg @ (0, 0.03, 0.09),
            chest=chest @ (sign * (body.shoulders - 0.055), -body.torso + 0.035, 0),
            waist=pelvis @ (sign * (body.hips - 0.015), -0.02, 0),
        )  # fmt: skip
        points.update({side + name: point for name, point in limb.items()})
    return points
