"""The journal of a tracked video: safe points, and what does not belong to it."""

import numpy as np
import pytest

from ogn_mm.apis.track_journal import TrackJournal
from ogn_mm.engine.json_lines import append_json_lines

STATE = dict(ids=np.array([3, 5]), next_id=np.array(6))


def track(run, frames):
    with run.path.open('a') as journal:
        for frame in frames:
            run.done = run.previous = frame
            record = dict(
                frame=frame,
                file_name='a',
                track_ids=[0, frame],
                bboxes=[[0, 0, 1, 1]] * 2,
            )
            append_json_lines(journal, [record | dict(poses=[[[1, 2, 0.5]] * 4] * 2)])
            if frame == 2:
                run.save(STATE, journal)


def test_goes_on_from_the_safe_point(tmp_path):
    run = TrackJournal(tmp_path / 'new', dict(input='a'))
    assert (run.tracker, run.done, list(run.records())) == (None, -1, [])
    track(run, range(5))
    again = TrackJournal(tmp_path / 'new', dict(input='a'))
    assert (again.done, again.previous) == (2, 2)
    assert {k: v.tolist() for k, v in again.tracker.items()} == {
        k: v.tolist() for k, v in STATE.items()
    }
    assert [record['frame'] for record in again.records()] == [0, 1, 2]


def test_records_of_long_tracks(tmp_path):
    run = TrackJournal(tmp_path, {})
    track(run, range(1, 4))
    found = list(run.long_tracks(num_keypoints=4, min_length=2))
    assert [record['frame'] for record, _ in found] == [1, 2, 3]
    for _, columns in found:
        assert columns['track_ids'].tolist() == [0]
        assert columns['bboxes'].shape == (1, 4)
        assert columns['poses'].shape == (1, 4, 3)


def test_other_settings_and_damage(tmp_path):
    run = TrackJournal(tmp_path, dict(input='a', model='m'))
    track(run, range(3))
    for settings, changed in (
        (dict(input='b', model='m'), 'input'),
        (dict(input='a'), 'model'),
        (dict(input='a', model='n', more=1), 'model, more'),
    ):
        with pytest.raises(ValueError, match=f'with another {changed}; choose another'):
            TrackJournal(tmp_path, settings)
    for content in (b'nothing', b''):
        run.state_path.write_bytes(content)
        with pytest.raises(ValueError, match=r'tracks_state\.npz: is damaged; remove'):
            TrackJournal(tmp_path, dict(input='a', model='m'))
    # nothing was overwritten
    assert len(list(run.records())) == 3
    run.path.write_text('[1, 2]')
    with pytest.raises(ValueError, match='was written with another tool'):
        TrackJournal(tmp_path, dict(input='a'))
