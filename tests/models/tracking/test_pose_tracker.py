"""The tracker: births, gaps, deaths, crossings; order and memory."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmpose.registry import TASK_UTILS

from ogn_mm.evaluation.functional import in_long_tracks
from ogn_mm.models.tracking import PoseTracker

SHAPE = np.random.default_rng(0).uniform(0.1, 0.9, (17, 2)) * (40, 100)


def person(x, y=0.0, score=1.0, shape=SHAPE, **columns):
    """A detection 40 pixels wide and 100 high."""
    pose = np.c_[shape + (x, y), np.full(17, 0.9)]
    return dict(
        bboxes=np.array([x, y, x + 40, y + 100.0]), scores=score, bbox_scores=score,
        poses=pose, **columns,
    )  # fmt: skip


def frame(*people):
    """Detections as columns."""
    people = people or [person(0)]
    columns = {name: np.array([p[name] for p in people]) for name in people[0]}
    return columns


def nobody():
    return {name: column[:0] for name, column in frame().items()}


def test_identity_follows_a_walker_and_ids_count_up():
    tracker = PoseTracker()
    for t in range(5):
        ids = tracker.update(frame(person(4 * t), person(300 - 4 * t, score=0.5)))
        assert ids.tolist() == [0, 1]
    assert tracker.tracks['lengths'].tolist() == [5, 5]


def test_birth_needs_a_score_and_low_scores_are_ignored():
    tracker = PoseTracker(score_thr=0.2, birth_score=0.5)
    assert tracker.update(frame(person(0, score=0.4))).tolist() == [-1]
    assert tracker.update(frame(person(0, score=0.5))).tolist() == [0]
    assert tracker.update(frame(person(0, score=0.2))).tolist() == [0]
    assert tracker.update(frame(person(0, score=0.1))).tolist() == [-1]
    assert tracker.tracks['gaps'].tolist() == [1]


@pytest.mark.parametrize('gap', [0, 1, 3])
def test_a_track_outlives_its_gap_and_no_more(gap):
    for missing, expected in ((gap, 0), (gap + 1, 1)):
        tracker = PoseTracker(max_gap=gap)
        tracker.update(frame(person(0)))
        for _ in range(missing):
            assert len(tracker.update(nobody())) == 0
        assert tracker.update(frame(person(0))).tolist() == [expected]


def test_carried_over_boxes_continue_tracks_and_found_none():
    tracker = PoseTracker()
    carried = person(0, propagated=True)
    assert tracker.update(frame(carried)).tolist() == [-1]
    tracker.update(frame(person(0, propagated=False)))
    assert tracker.update(frame(carried)).tolist() == [0]


def test_detected_people_come_before_carried_over_boxes():
    """Though the box carried over is nearer to where the track was."""
    tracker = PoseTracker()
    tracker.update(frame(person(0, propagated=False)))
    both = frame(person(1, propagated=True), person(10, propagated=False))
    assert tracker.update(both).tolist() == [-1, 0]


def crossing(tracker, move=None):
    """Two people of different poses swap places, 12 pixels a frame; their ids.

    For two frames their boxes are nearly the same.
    """
    other = SHAPE[:, ::-1] * (0.4, 2.5)
    found = []
    for t in range(11):
        ids = tracker.update(
            frame(person(12 * t), person(126 - 12 * t, score=0.9, shape=other))
        )
        found.append(ids.tolist())
        if move is not None:
            tracker.move(move)
    return found


def test_boxes_alone_lose_a_crossing_that_poses_keep():
    assert crossing(PoseTracker())[-1] != [0, 1]
    steady = PoseTracker([dict(type='OKSSimilarity', sigmas=[0.3] * 17)])
    assert crossing(steady) == [[0, 1]] * 11


def test_flow_keeps_fast_people_apart():
    """So fast that neither boxes nor poses overlap; flow tells where they go."""
    speed = np.array([90.0, 0])
    for cue, expected in (('OKSSimilarity', [2, 3]), ('FlowOKS', [0, 1])):
        tracker = PoseTracker([dict(type='BoxIoU'), dict(type=cue)])
        tracker.update(frame(person(0), person(400, score=0.9)))
        tracker.move(lambda points: np.where(points[..., :1] < 200, speed, -speed))
        ids = tracker.update(frame(person(90), person(310, score=0.9)))
        assert ids.tolist() == expected


def test_flow_follows_people_through_a_gap():
    """A pose moved frame by frame is where the person comes out again."""
    tracker = PoseTracker([dict(type='FlowOKS')], history=2)
    tracker.update(frame(person(0)))
    for _ in range(4):
        tracker.move(lambda points: np.full_like(points, 30.0))
        tracker.update(nobody())
    assert tracker.update(frame(person(120, 120))).tolist() == [0]


def test_the_most_similar_of_the_last_poses_counts():
    """A pose that fails for a frame does not end the track."""
    bad = np.full((17, 2), 20.0)
    for history, expected in ((1, 1), (2, 0)):
        tracker = PoseTracker([dict(type='FlowOKS')], history=history, match_thr=0.2)
        tracker.update(frame(person(0)))
        tracker.tracks['poses'][0, :, :2] = bad
        tracker.tracks['history'][0, 0, :, :2] = bad + 1000
        assert tracker.update(frame(person(0))).tolist() == [expected]


def test_weights_by_hand():
    """IoU 0.6 with weight 3, features at distance 0.4 with weight 1."""
    tracker = PoseTracker(
        [dict(type='BoxIoU', weight=3), dict(type='ReIDDistance', max_distance=2)]
    )
    angle = 2 * np.arcsin(0.2)
    tracker.update(frame(person(0, features=[1.0, 0.0])))
    after = frame(person(10, features=[np.cos(angle), np.sin(angle)]))
    np.testing.assert_allclose(tracker.similarity(after), (3 * 0.6 + 0.8) / 4)


def test_features_are_mixed():
    tracker = PoseTracker([dict(type='ReIDDistance')], 0.1, feature_momentum=0.75)
    for features in ([1.0, 0.0], [0.8, 0.6]):
        tracker.update(frame(person(0, features=features)))
    np.testing.assert_allclose(tracker.tracks['features'], [[0.95, 0.15]])


def random_frames(seed, frames=6):
    rng = np.random.default_rng(seed)
    for _ in range(frames):
        people = [
            person(*rng.uniform(0, 150, 2), score=rng.choice([0.3, 0.6, 0.9]))
            for _ in range(rng.integers(0, 6))
        ]
        yield frame(*people) if people else nobody()


@settings(max_examples=25)
@given(st.integers(0, 2**31))
def test_order_of_detections_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    cues = [dict(type='BoxIoU'), dict(type='FlowOKS')]
    trackers = [PoseTracker(cues, 0.2, birth_score=0.5, max_gap=2) for _ in range(2)]
    for columns in random_frames(seed):
        order = rng.permutation(len(columns['scores']))
        ids = trackers[0].update(columns)
        shuffled = trackers[1].update({n: c[order] for n, c in columns.items()})
        assert ids[order].tolist() == shuffled.tolist()
        kept = ids[ids >= 0]
        assert len(set(kept.tolist())) == len(kept)


def test_goes_on_where_it_was_interrupted(tmp_path):
    frames = list(random_frames(1, 12))
    straight, first, second = (PoseTracker(max_gap=2) for _ in range(3))
    expected = [straight.update(columns).tolist() for columns in frames]
    found = [first.update(columns).tolist() for columns in frames[:6]]
    np.savez(tmp_path / 'state.npz', **first.state())
    with np.load(tmp_path / 'state.npz') as state:
        second.restore(state)
    assert found + [second.update(c).tolist() for c in frames[6:]] == expected


def test_memory_does_not_grow():
    """Over 10,000 frames, with somebody new every fifth frame."""
    tracker = PoseTracker(max_gap=3)
    frames = [frame(person(200.0 * place)) for place in range(10)]
    counts, sizes = set(), set()
    for t in range(10_000):
        tracker.update(frames[t // 5 % 10])
        counts.add(len(tracker))
        sizes.add(tracker.tracks['history'].size)
    assert tracker.next_id == 2_000
    assert counts == {1, 2}
    assert sizes == {3 * 17 * 3, 2 * 3 * 17 * 3}


def test_short_tracks_are_found_at_the_end():
    frames = [np.array(ids, int) for ids in ([0, 1], [], [1, 2], [2])]
    kept = [mask.tolist() for mask in in_long_tracks(frames, 2)]
    assert kept == [[False, True], [], [True, True], [True]]
    assert in_long_tracks([], 2) == []


def test_faulty_settings():
    for arguments, message in (
        (dict(cues=[]), 'at least one cue'),
        (dict(match_thr=0), 'match_thr must be from'),
        (dict(max_gap=-1), 'max_gap must be'),
        (dict(history=0), 'history must be an integer'),
        (dict(feature_momentum=1.0), 'feature_momentum must be'),
        *(
            (dict(cues=[dict(type='BoxIoU', weight=weight)]), 'BoxIoU: weight must be')
            for weight in (0, -1, float('inf'), float('nan'), '2', None)
        ),
        (dict(cues=[dict(type='FlowOKS', sigmas=[0.1, 0])]), 'FlowOKS: sigmas must be'),
        (dict(cues=[dict(type='ReIDDistance', max_distance=3)]), 'max_distance must'),
    ):
        with pytest.raises(ValueError, match=message):
            TASK_UTILS.build(dict(type='PoseTracker', **arguments))
    tracker = PoseTracker([dict(type='ReIDDistance')])
    with pytest.raises(KeyError, match='need `features` of the detections'):
        tracker.update(frame(person(0)))
