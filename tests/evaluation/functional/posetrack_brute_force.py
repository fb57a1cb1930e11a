"""PoseTrack's metrics by plain loops over people, pairs and joints."""

import math
from collections import defaultdict

JOINTS = range(15)


def inside(point, polygon):
    """Whether a point is strictly inside a polygon of whole numbers."""
    x, y = point
    crossings = False
    for (ax, ay), (bx, by) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        cross = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
        if (
            cross == 0
            and min(ax, bx) <= x <= max(ax, bx)
            and min(ay, by) <= y <= max(ay, by)
        ):
            return False
        if (ay > y) != (by > y) and (cross > 0) == (by > ay):
            crossings = not crossings
    return crossings


def clean(truth, found, regions):
    """Frames as (people, predictions), people as (id, {joint: place}, extra)."""
    frames = []
    for people, predictions, polygons in zip(truth, found, regions, strict=True):
        if not people:
            continue
        sides = []
        for side in (people, predictions):
            kept = []
            for person in side:
                joints = {
                    j: tuple(person['joints'][j]) for j in JOINTS if person['exist'][j]
                }
                for j, place in list(joints.items()):
                    if any(inside(place, p.tolist()) for p in polygons):
                        del joints[j]
                if joints or not len(polygons):
                    extra = person.get('scores', person.get('head'))
                    kept.append((person['track_id'], joints, extra))
            sides.append(kept)
        frames.append(tuple(sides))
    return frames


def distance(person, prediction, joint):
    """In head sizes; None if there is no hit."""
    if joint not in person[1] or joint not in prediction[1]:
        return None
    size = 0.6 * math.hypot(*person[2])
    if size == 0:
        return None
    found = math.dist(person[1][joint], prediction[1][joint]) / size
    return found if found <= 0.5 else None


def owners_of(people, predictions):
    """For each prediction the true person it is taken to be, or None."""
    shares = []
    for prediction in predictions:
        row = []
        for person in people:
            hits = sum(distance(person, prediction, j) is not None for j in JOINTS)
            row.append(hits / len(person[1]) if person[1] else 0)
        best = row.index(max(row))
        shares.append([share if g == best else 0 for g, share in enumerate(row)])
    owners = [None] * len(predictions)
    for g in range(len(people)):
        column = [row[g] for row in shares]
        if max(column) > 0:
            owners[column.index(max(column))] = g
    return owners


def average_precision(samples, num_truth):
    """AP, precision and recall in percent of (score, label) in order of collection."""
    if not samples:
        return 0, 0, 0
    ranked = [label for _, label in sorted(samples, key=lambda s: s[0])][::-1]
    points, right = [], 0
    for k, label in enumerate(ranked, 1):
        right += label
        points.append((right / num_truth if num_truth else math.nan, right / k))
    if not num_truth:
        return math.nan, 100 * points[-1][1], math.nan
    area, before = 0, 0
    for k, (recall, _) in enumerate(points):
        area += (recall - before) * max(precision for _, precision in points[k:])
        before = recall
    return 100 * area, 100 * points[-1][1], 100 * points[-1][0]


def evaluate_ap(sequences):
    """Lists of AP, precision and recall by joint, of cleaned sequences."""
    samples, num_truth = defaultdict(list), defaultdict(int)
    for people, predictions in (frame for frames in sequences for frame in frames):
        for person in people:
            for joint in person[1]:
                num_truth[joint] += 1
        owners = [None] * len(predictions)
        if people and predictions:
            owners = owners_of(people, predictions)
        for prediction, owner in zip(predictions, owners, strict=True):
            for joint in prediction[1]:
                label = owner is not None and (
                    distance(people[owner], prediction, joint) is not None
                )
                samples[joint].append((prediction[2][joint], label))
    results = [average_precision(samples[j], num_truth[j]) for j in JOINTS]
    return [list(values) for values in zip(*results, strict=True)]


def best_matching(objects, hypotheses, costs):
    """The most allowed pairs, of these the cheapest, by trying all."""
    if not objects:
        return 0, 0, []
    first, rest = objects[0], objects[1:]
    options = [best_matching(rest, hypotheses, costs)]
    for h in hypotheses:
        if (first, h) in costs:
            others = [other for other in hypotheses if other != h]
            number, cost, pairs = best_matching(rest, others, costs)
            options.append((number + 1, cost + costs[first, h], [(first, h), *pairs]))
    return max(options, key=lambda option: (option[0], -option[1]))


def track(frames, joint):
    """Misses, switches, false positives, objects, detections and the distance sum."""
    misses = switches = false_positives = objects = detections = 0
    distances = 0.0
    matched_to, taken_by = {}, {}
    for people, predictions in frames[:-1]:
        if not people or not predictions:
            misses, false_positives, objects = (
                misses + 1,
                false_positives + 1,
                objects + 1,
            )
            continue
        here = [person for person in people if joint in person[1]]
        there = [p for p in predictions if joint in p[1]]
        costs = {
            (person[0], p[0]): d
            for person in here
            for p in there
            if (d := distance(person, p, joint)) is not None
        }
        distances += sum(costs.values())
        free = [person[0] for person in here]
        free_hypotheses = [p[0] for p in there]
        for o in list(free):
            h = matched_to.get(o)
            if h in free_hypotheses and (o, h) in costs:
                free.remove(o)
                free_hypotheses.remove(h)
                distances += costs[o, h]
        for o, h in best_matching(free, free_hypotheses, costs)[2]:
            free.remove(o)
            free_hypotheses.remove(h)
            times = 1
            if o in matched_to and matched_to[o] != h:
                switches += 1
                times += h not in taken_by
            if h in taken_by and taken_by[h] != o:
                times += 1 + (o not in matched_to)
            distances += times * costs[o, h]
            matched_to[o], taken_by[h] = h, o
        misses += len(free)
        false_positives += len(free_hypotheses)
        objects += len(here)
        detections += len(here) - len(free)
    return misses, switches, false_positives, objects, detections, distances


def evaluate_mot(sequences):
    """Lists of MOTA, MOTP, precision and recall by joint, of cleaned sequences."""
    results = []
    for joint in JOINTS:
        sums = [sum(v) for v in zip(*(track(f, joint) for f in sequences), strict=True)]
        misses, switches, wrong, objects, detections, distances = sums
        nan = math.nan
        results.append(
            (
                100 * (1 - (misses + switches + wrong) / objects) if objects else nan,
                100 * (1 - distances / detections) if detections else 0,
                100 * detections / (wrong + detections) if wrong + detections else nan,
                100 * detections / objects if objects else nan,
            )
        )
    return [list(values) for values in zip(*results, strict=True)]
