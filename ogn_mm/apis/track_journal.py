"""What was tracked of a video, frame by frame on disk, and where to go on."""

import io
import json
import math
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from mmengine.structures import InstanceData

from ogn_mm.engine.atomic_write import atomic_file, write_atomically
from ogn_mm.engine.json_files import check_object, to_floats
from ogn_mm.engine.json_lines import append_json_lines, read_json_lines
from ogn_mm.evaluation.functional import in_long_tracks

from .video_io import Frame


class TrackJournal:
    """Journal and safe points of a run: what is done, and where to go on.

    Frames after the last safe point are done again.

    Args:
        out (Path): Folder of the results.
        settings (dict): What the results depend on.

    Attributes:
        tracker (dict | None): State of the tracker at the safe point.
        done (int): Last frame that is done, -1 at the beginning.
        previous (int): Last frame that could be read.

    Raises:
        ValueError: The folder's results are of other settings.
    """

    def __init__(self, out: Path, settings: dict):
        self.path, self.state_path = out / 'tracks.jsonl', out / 'tracks_state.npz'
        self.tracker, self.done, self.previous = None, -1, 0
        settings = json.loads(json.dumps(settings))
        found = next(read_json_lines(self.path), None)
        if found not in (None, settings):
            keys = found.keys() | settings.keys() if isinstance(found, dict) else ()
            changed = [k for k in sorted(keys) if found.get(k) != settings.get(k)]
            raise ValueError(
                f'{self.path}: was written with another {", ".join(changed) or "tool"};'
                ' choose another --out or remove it'
            )
        if found and self.state_path.exists():
            self.tracker = self.read_state()
            self.done, self.previous = self.tracker.pop('place').tolist()
            frames = [record['frame'] for record in self.records(self.done)]
            if frames != list(range(self.done + 1)):
                raise ValueError(
                    f'{self.path}: lacks frames of the {self.done + 1} that are done; '
                    'remove it to begin anew'
                )
        with atomic_file(self.path, durable=True) as journal:
            append_json_lines(journal, [settings])
            for record in self.records(self.done):
                append_json_lines(journal, [record])

    def records(self, last: float = math.inf) -> Iterator[dict]:
        """What was found in each frame up to the last one wanted."""
        for line in read_json_lines(self.path, dict):
            if 'frame' in line:  # the first line has the settings
                check_object(line, str(self.path), frame=int, file_name=str)
                if line['frame'] <= last:
                    yield line

    def read_state(self) -> dict[str, np.ndarray]:
        """What :meth:`save` has written."""
        try:
            with np.load(self.state_path) as found:
                state = dict(found)
            check_state(**state)
        except Exception as error:  # a damaged archive may raise anything
            raise ValueError(
                f'{self.state_path}: is damaged; remove it to begin anew'
            ) from error
        return state

    def save(self, tracker: dict, journal) -> None:
        """Make what is done up to here safe, in the open journal as well."""
        os.fsync(journal.fileno())
        place = np.array([self.done, self.previous])
        content = io.BytesIO()
        np.savez(content, place=place, **tracker)
        write_atomically(self.state_path, content.getvalue(), durable=True)

    def long_tracks(
        self, num_keypoints: int, min_length: int
    ) -> Iterator[tuple[dict, dict]]:
        """Each record, and its arrays without tracks of fewer poses than wanted."""

        def columns(record: dict) -> dict[str, np.ndarray]:
            try:
                return record_arrays(record, num_keypoints)
            except ValueError as error:
                frame = record['frame']
                raise ValueError(f'{self.path}: frame {frame}: {error}') from error

        ids = [columns(record)['track_ids'] for record in self.records()]
        kept = in_long_tracks(ids, min_length)
        for record, mask in zip(self.records(), kept, strict=True):
            yield record, {name: c[mask] for name, c in columns(record).items()}


def check_state(place, next_id=None, **tracks) -> None:
    """Raise ValueError unless this can be a tracker's state, and where it was."""
    columns = [place, *tracks.values()]
    if (
        (place.shape, place.dtype.kind) != ((2,), 'i')
        or (next_id is not None and (next_id.shape, next_id.dtype.kind) != ((), 'i'))
        or any(column.dtype.kind not in 'biuf' for column in columns)
        or len({len(column) for column in tracks.values()}) > 1
    ):
        raise ValueError('this is no state of a tracker')


def describe_frame(frame: Frame, found: InstanceData | None) -> dict:
    """A frame's people as JSON; ``found`` is None for a broken frame."""
    record = dict(frame=frame.index, file_name=frame.name)
    if found is None:
        return record | dict(broken=True)
    poses = np.concatenate(
        [found.keypoints, found.keypoint_scores[..., None]], axis=-1
    ).astype(float)
    return record | dict(
        track_ids=found.track_ids.tolist(),
        bboxes=found.bboxes.astype(float).round(2).tolist(),
        scores=found.pose_scores.astype(float).round(5).tolist(),
        poses=poses.round(3).tolist(),
    )


def record_arrays(record: dict, num_keypoints: int) -> dict[str, np.ndarray]:
    """A record's columns as arrays; nobody is in a broken frame.

    Raises:
        ValueError: A column is not of as many finite numbers as it should be.
    """
    ids = record.get('track_ids', [])
    count = len(ids) if isinstance(ids, list) else -1
    columns = {}
    shapes = dict(track_ids=(), bboxes=(4,), poses=(num_keypoints, 3))
    for name, shape in shapes.items():
        column = to_floats(record.get(name, []))
        sound = column is not None and column.size == math.prod(shape) * count
        if not sound or not np.isfinite(column).all():
            raise ValueError(f"'{name}' should be {shape} numbers a person")
        columns[name] = column.reshape(-1, *shape)
    return columns | dict(track_ids=columns['track_ids'].astype(int))
