"""Clean-up, assignment, AP and tracking on cases that can be counted by hand.

One joint is enough: every person is a nose on a line, and heads are 100 pixels.
"""

import sys

import numpy as np
import pytest

from ogn_mm.evaluation.functional import PoseSequence
from ogn_mm.evaluation.functional.posetrack_ap import assign_people, precision_recall
from ogn_mm.evaluation.functional.posetrack_hits import clean_up, find_hits
from ogn_mm.evaluation.functional.posetrack_identity import IdentityMetrics
from ogn_mm.evaluation.functional.posetrack_tracking import (
    track_joints,
    tracking_metrics,
)

NOSE = 13


def sequence(*frames, head=100.0, regions=()):
    """Each frame a dict from track id to x of the nose, or None for no joint."""
    people = [(t, i, x) for t, frame in enumerate(frames) for i, x in frame.items()]
    keypoints, exist = np.zeros((len(people), 15, 2)), np.zeros((len(people), 15), bool)
    for place, (_, _, x) in enumerate(people):
        keypoints[place, NOSE, 0] = x or 0
        exist[place, NOSE] = x is not None
    return PoseSequence(
        source='a.json',
        num_frames=len(frames),
        labelled=np.array([len(frame) > 0 for frame in frames]),
        frames=np.array([t for t, _, _ in people], int),
        track_ids=np.array([i for _, i, _ in people], int),
        keypoints=keypoints,
        exist=exist,
        scores=np.zeros(exist.shape),
        head_sizes=np.full(len(people), head),
        regions=regions,
    )


def count(truth, found):
    """Of the nose; a last frame is added, which does not count."""
    truth, found = clean_up(sequence(*truth, {0: 0}), sequence(*found, {0: 0}))
    counts = track_joints(truth, found, find_hits(truth, found))
    names = ('misses', 'switches', 'false_positives', 'objects', 'detections')
    return (
        [int(counts[f'num_{name}'][NOSE]) for name in names],
        [float(counts[f'sum_dist_{s}'][NOSE]) for s in ('raw', 'matched', 'extra')],
    )


@pytest.mark.parametrize(
    'truth, found, numbers, distances',
    [
        # a match counts twice in all
        ([{1: 0}], [{7: 10}], [0, 0, 0, 1, 1], [0.1, 0.1, 0]),
        # just half a head is a hit, more is not
        ([{1: 0}], [{7: 50}], [0, 0, 0, 1, 1], [0.5, 0.5, 0]),
        ([{1: 0}], [{7: 50.001}], [1, 0, 1, 1, 0], [0, 0, 0]),
        # carried on, although another is nearer now
        ([{1: 0}, {1: 0}], [{7: 0}, {7: 40, 8: 0}], [0, 0, 1, 2, 2], [0.4, 0.4, 0]),
        # most pairs come first: not the one that fits exactly
        ([{1: 0, 2: 40}], [{7: 40, 8: 80}], [0, 0, 0, 2, 2], [0.8, 0.8, 0]),
        # a new hypothesis: switch, and its distance counts once more
        ([{1: 0}, {1: 0}], [{7: 0}, {8: 10}], [0, 1, 0, 2, 2], [0.1, 0.1, 0.1]),
        # a hypothesis moves to an object never matched: two more
        (
            [{1: 0}, {2: 200}],
            [{7: 0}, {7: 210}],
            [0, 0, 0, 2, 2],
            [0.1, 0.1, 0.2],
        ),
        # two swap: both are switches and transfers
        (
            [{1: 0, 2: 200}] * 2,
            [{7: 0, 8: 200}, {8: 10, 7: 210}],
            [0, 2, 0, 4, 4],
            [0.2, 0.2, 0.2],
        ),
        # nothing is forgotten in a gap
        (
            [{1: 0}, {1: 0}, {1: 0}],
            [{7: 0}, {9: 500}, {8: 0}],
            [1, 1, 1, 3, 2],
            [0, 0, 0],
        ),
        # two remember one hypothesis: the one listed first keeps it
        (
            [{1: 0}, {2: 0}, {1: 0, 2: 0}],
            [{7: 0}, {7: 0}, {7: 10}],
            [1, 0, 0, 4, 3],
            [0.2, 0.1, 0],
        ),
        # nobody found: one miss and one false positive, however many there are
        ([{1: 0, 2: 200}], [{}], [1, 0, 1, 1, 0], [0, 0, 0]),
        # but a person without joints is somebody
        ([{1: 0, 2: 200}], [{7: None}], [2, 0, 0, 2, 0], [0, 0, 0]),
        # nobody annotated: the frame does not exist
        ([{}, {1: 0}], [{7: 0}, {7: 0}], [0, 0, 0, 1, 1], [0, 0, 0]),
    ],
)
def test_counted_by_hand(truth, found, numbers, distances):
    ours = count(truth, found)
    assert ours[0] == numbers
    assert ours[1] == pytest.approx(distances)


def test_joints_in_hollow_frames():
    """Such a frame counts for joints that nobody has, too."""
    truth, found = clean_up(sequence({1: 0}, {1: 0}), sequence({}, {}))
    counts = track_joints(truth, found, find_hits(truth, found))
    assert counts['num_misses'].tolist() == counts['num_objects'].tolist() == [1] * 15


def test_final_values():
    counts = dict(
        num_misses=[2, 0, 3],
        num_switches=[1, 0, 0],
        num_false_positives=[1, 0, 2],
        num_objects=[10, 0, 3],
        num_detections=[8, 0, 0],
        sum_dist_raw=[1, 0, 0],
        sum_dist_matched=[0.5, 0, 0],
        sum_dist_extra=[0.5, 0, 0],
    )
    metrics = tracking_metrics({name: np.array(v) for name, v in counts.items()})
    expected = dict(
        mota=[60, np.nan, 100 * (1 - 5 / 3)],
        motp=[75, 0, 0],
        pre=[800 / 9, np.nan, 0],
        rec=[80, np.nan, 0],
    )
    for name, values in expected.items():
        np.testing.assert_allclose(metrics[name], values)


def test_heads_without_extent_are_never_hit():
    truth, found = sequence({1: 0}, head=0.0), sequence({7: 0})
    assert len(find_hits(truth, found).joints) == 0


def test_missing_head_box():
    """An error, unless nobody is predicted in the frame."""
    headless = sequence({5: 0}, head=np.nan)
    assert len(find_hits(headless, sequence({})).joints) == 0
    with pytest.raises(ValueError, match="'track_id' 5 has no head box"):
        find_hits(headless, sequence({7: 0}))


def test_frames_must_be_as_many():
    with pytest.raises(ValueError, match=r'has 1 frames, but a\.json has 2'):
        clean_up(sequence({}, {}), sequence({}))


def test_ignored_regions():
    """Inside goes, the border stays; so do people elsewhere who have no joint."""
    square = np.array([[0, -10], [20, -10], [20, 10], [0, 10]])
    truth = sequence({1: 10, 2: 20, 3: None}, {1: None}, regions=[(0, square)])
    left = clean_up(truth, sequence({7: 5}, {8: 5}))
    assert left[0].track_ids.tolist() == [2, 1]
    assert left[1].track_ids.tolist() == [8]


def test_regions_move_with_their_frames():
    """Frames that go do not shift the regions of others."""
    square = np.array([[-5, -5], [5, -5], [5, 5], [-5, 5]])
    truth = sequence({}, {1: 0, 2: 90}, {1: 0}, regions=[(0, square), (1, square)])
    left, _ = clean_up(truth, sequence({}, {}, {}))
    assert left.frames.tolist() == [0, 1] and left.track_ids.tolist() == [2, 1]


def test_nobody_gets_a_second_chance():
    """Both predictions prefer the first person, who takes the first listed."""
    truth = sequence({1: 0, 2: 30})
    found = sequence({7: 10, 8: 10})
    owners = assign_people(find_hits(truth, found), truth.exist.sum(axis=1), 2)
    assert owners.tolist() == [0, -1]


@pytest.mark.parametrize(
    'labels, num_truth, expected',
    [
        ([], 5, (0, 0, 0)),
        ([], 0, (0, 0, 0)),
        ([0, 0], 0, (np.nan, 0, np.nan)),
        ([1], 2, (0.5, 1, 0.5)),
        ([0, 1, 1], 2, (2 / 3, 2 / 3, 1)),  # precision made to fall: 2/3 at both
        ([1, 0, 1], 4, (0.25 + 0.25 * 2 / 3, 2 / 3, 0.5)),
    ],
)
def test_average_precision_by_hand(labels, num_truth, expected):
    ours = precision_recall(np.array(labels, bool), num_truth)
    np.testing.assert_allclose(ours, expected)


def identity(truth, found):
    metrics = IdentityMetrics()
    truth, found = sequence(*truth), sequence(*found)
    metrics.add('a', truth, found, find_hits(truth, found))
    return {name: values[NOSE] for name, values in metrics.build().items()}


def test_identities_swapped_half_way():
    """Two people, found exactly: each of their tracks is half right."""
    truth = [{1: 0, 2: 300}] * 10
    found = [{7: 0, 8: 300}] * 5 + [{8: 0, 7: 300}] * 5
    figures = identity(truth, found)
    assert figures['idf1'] == pytest.approx(50)
    assert figures['deta'] == pytest.approx(100)
    # 5 in common of 10 and 10
    assert figures['assa'] == pytest.approx(100 / 3)
    assert figures['hota'] == pytest.approx(100 / np.sqrt(3))


def test_similarity_falls_to_half_a_head():
    """At 0.24 heads it is 0.52: HOTA passes 10 of its 19 thresholds."""
    figures = identity([{1: 0}] * 3, [{7: 24}] * 3)
    assert figures['hota'] == pytest.approx(100 * 10 / 19)
    assert figures['idf1'] == pytest.approx(100)
    # just half a head is still a match for IDF1
    assert identity([{1: 0}], [{7: 50}])['idf1'] == pytest.approx(100)
    assert identity([{1: 0}], [{7: 51}])['idf1'] == 0


def test_joints_never_annotated_have_no_identity():
    metrics = IdentityMetrics()
    truth, found = sequence({1: None}), sequence({7: 0})
    metrics.add('a', truth, found, find_hits(truth, found))
    assert np.isnan(metrics.build()['hota']).all()


def test_missing_trackeval(monkeypatch):
    monkeypatch.setitem(sys.modules, 'trackeval.metrics', None)
    with pytest.raises(ImportError, match='need TrackEval. Please run: pip install'):
        IdentityMetrics()
