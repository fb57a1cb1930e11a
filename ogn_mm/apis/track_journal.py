"""What was tracked of a video, frame by frame on disk, and where to go on."""

import io
import json
import math
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from mmengine.structures import InstanceData

from ogn_mm.engine.atomic_write import write_atomically
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
                f'{self.path}: holds results of another {", ".join(changed) or "tool"};'
                ' choose another --out or remove it'
            )
        if found and self.state_path.exists():
            self.tracker = self.read_state()
            self.done, self.previous = self.tracker.pop('place').tolist()
        out.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix('.partial')
        with partial.open('w') as journal:
            append_json_lines(journal, [settings])
            for record in self.records(self.done):
                append_json_lines(journal, [record])
        partial.replace(self.path)

    def records(self, last: float = math.inf) -> Iterator[dict]:
        """What was found in each frame up to the last one wanted."""
        for line in read_json_lines(self.path):
            if line.get('frame', math.inf) <= last and 'frame' in line:
                yield line

    def read_state(self) -> dict[str, np.ndarray]:
        """What :meth:`save` has written."""
        try:
            with np.load(self.state_path) as state:
                return dict(state)
        except (ValueError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(
                f'{self.state_path}: is damaged; remove it to begin anew'
            ) from error

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
        ids = [np.array(r.get('track_ids', []), int) for r in self.records()]
        kept = in_long_tracks(ids, min_length)
        for record, mask in zip(self.records(), kept, strict=True):
            columns = record_arrays(record, num_keypoints)
            yield record, {name: column[mask] for name, column in columns.items()}


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
    """A record's columns as arrays; nobody is in a broken frame."""
    return dict(
        track_ids=np.array(record.get('track_ids', []), int),
        bboxes=np.array(record.get('bboxes', []), float).reshape(-1, 4),
        poses=np.array(record.get('poses', []), float).reshape(-1, num_keypoints, 3),
    )
