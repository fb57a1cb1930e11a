"""Identities for the poses of a video, frame by frame."""

from collections.abc import Callable, Sequence

import numpy as np
from mmpose.registry import TASK_UTILS

from ogn_mm.structures.bbox.checks import check_count, check_in_range

from .association import match, pose_extents

# Columns of a track that are those of its last detection.
LAST = ('bboxes', 'scores', 'bbox_scores', 'poses')


@TASK_UTILS.register_module()
class PoseTracker:
    """Online tracker: Hungarian matching on a weighted sum of cues (section 4.2).

    As in Detect-and-Track (Girdhar et al., CVPR 2018), each frame's poses are matched
    with the tracks; the similarity joins the cues by their weights. Only living tracks
    are kept, as columns of arrays, and of each only its last ``history`` poses, so that
    memory does not grow with the video.

    Detections are columns, too: ``bboxes`` (D, 4) x1, y1, x2, y2 and ``scores`` (D,);
    ``poses`` (D, K, 3) x, y and score, ``bbox_scores`` (D,), ``features`` (D, C) and
    ``propagated`` (D,) bool as far as cues, flow and boxes from earlier frames need
    them.

    Ids count up from 0 in the order of birth; those born in one frame by falling score.
    How long a track becomes is not known while it is young: its poses are given out at
    once, and what belongs to tracks shorter than wanted is removed when the video has
    ended, by `PoseTrackMetric` and ``tools/track_video.py``.

    Args:
        cues (Sequence[dict]): Configs of cues, each with its ``weight``. Defaults to
            :class:`BoxIoU` alone.
        match_thr (float): Least similarity, in [0, 1], of a track and a detection that
            are joined. Defaults to 0.3.
        score_thr (float): A detection that scores less is ignored. Defaults to 0.
        birth_score (float): An unmatched detection founds a track if it scores so
            much; otherwise it gets no identity. Defaults to 0.
        max_gap (int): Frames in a row that a track outlives without a detection.
            Defaults to 10.
        history (int): Poses kept of a track, for :class:`FlowOKS`. Defaults to 3.
        feature_momentum (float): Share, in [0, 1), of a track's features that stays
            when a detection's are mixed in. Defaults to 0.8.

    Attributes:
        tracks (dict[str, np.ndarray]): Columns of the T living tracks: the detections'
            and ``ids`` (T,), ``gaps`` (T,) frames since the last detection, ``lengths``
            (T,) detections so far, ``history`` (T, L, K, 3) last poses, newest first.
        next_id (int): Of the next track.

    Raises:
        ValueError: An argument is out of its range, or there is no cue.
    """

    def __init__(
        self,
        cues: Sequence[dict] = (dict(type='BoxIoU'),),
        match_thr: float = 0.3,
        score_thr: float = 0.0,
        birth_score: float = 0.0,
        max_gap: int = 10,
        history: int = 3,
        feature_momentum: float = 0.8,
    ):
        check_in_range('match_thr', match_thr, 1e-6, 1)
        check_in_range('score_thr', score_thr, 0)
        check_in_range('birth_score', birth_score, 0)
        check_count('max_gap', max_gap, lowest=0)
        check_count('history', history)
        check_in_range('feature_momentum', feature_momentum, 0, 1 - 1e-6)
        if not cues:
            raise ValueError('PoseTracker: `cues` should name at least one cue.')
        self.cues = [TASK_UTILS.build(cue) for cue in cues]
        self.match_thr = match_thr
        self.score_thr = score_thr
        self.birth_score = birth_score
        self.max_gap = max_gap
        self.history = history
        self.feature_momentum = feature_momentum
        self.reset()

    @property
    def fields(self) -> set[str]:
        """Columns that the cues need of a detection."""
        return {field for cue in self.cues for field in cue.fields}

    def __len__(self) -> int:
        return len(self.tracks.get('ids', ()))

    def reset(self) -> None:
        """Forget everything: a new video begins."""
        self.tracks = {}
        self.next_id = 0

    def state(self) -> dict[str, np.ndarray]:
        """All that the next frames depend on, as arrays; see :meth:`restore`."""
        return {**self.tracks, 'next_id': np.array(self.next_id)}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go on where :meth:`state` was taken."""
        self.tracks = {name: column.copy() for name, column in state.items()}
        self.next_id = int(self.tracks.pop('next_id'))

    def move(self, displacement: Callable[[np.ndarray], np.ndarray]) -> None:
        """Move the tracks' poses to the next frame.

        Args:
            displacement (Callable): Of points (..., 2) in the last frame's pixels, how
                far each has moved, (..., 2).
        """
        points = self.tracks['history'][..., :2]
        points += displacement(points)

    def propagate(self, padding: float, min_score: float) -> dict[str, np.ndarray]:
        """Boxes in which people seen in the last frame should be in this one.

        Args:
            padding (float): As for :func:`~.association.pose_extents`.
            min_score (float): The same.

        Returns:
            dict: ``bboxes`` (P, 4) around the moved poses, ``bbox_scores`` (P,) of the
            last detections.
        """
        last = self.tracks['gaps'] == 0
        boxes = pose_extents(self.tracks['history'][last, 0], min_score, padding)
        good = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        scores = self.tracks['bbox_scores'][last]
        return dict(bboxes=boxes[good], bbox_scores=scores[good])

    def update(self, detections: dict[str, np.ndarray]) -> np.ndarray:
        """Take in the next frame's detections.

        Args:
            detections (dict[str, np.ndarray]): Columns, see the class. Their order does
                not matter.

        Returns:
            np.ndarray: Each detection's identity, or -1, int, (D,).

        Raises:
            KeyError: A column that a cue needs is missing.
        """
        missing = self.fields - detections.keys()
        if missing:
            raise KeyError(
                f'PoseTracker: its cues need `{min(missing)}` of the detections'
            )
        ids = np.full(len(detections['scores']), -1)
        scores, boxes = detections['scores'], detections['bboxes']
        # best first, ties by place
        order = np.lexsort((*boxes.T, -scores))
        order = order[scores[order] >= self.score_thr]
        detections = {name: column[order] for name, column in detections.items()}
        ids[order] = self._associate(detections)
        return ids

    def similarity(self, detections: dict[str, np.ndarray]) -> np.ndarray:
        """Weighted mean of the cues, in [0, 1], (T, D)."""
        if not len(self):
            return np.zeros((0, len(detections['scores'])))
        total = sum(cue.weight * cue(self.tracks, detections) for cue in self.cues)
        return total / sum(cue.weight for cue in self.cues)

    def _associate(self, detections: dict[str, np.ndarray]) -> np.ndarray:
        """Identities of sorted detections; the tracks are brought up to date."""
        propagated = detections.get(
            'propagated', np.zeros(len(detections['scores']), bool)
        )
        rows, columns = self._match(self.similarity(detections), propagated)
        ids = np.full(len(propagated), -1)
        if len(self):
            ids[columns] = self.tracks['ids'][rows]
            self._continue(rows, {name: c[columns] for name, c in detections.items()})
        born = (ids < 0) & (detections['scores'] >= self.birth_score) & ~propagated
        ids[born] = np.arange(self.next_id, self.next_id + born.sum())
        self.next_id += int(born.sum())
        self._begin(ids[born], {name: c[born] for name, c in detections.items()})
        return ids

    def _match(self, similarity: np.ndarray, propagated: np.ndarray):
        """Rows and columns of pairs; boxes carried over get the tracks that are left.

        Otherwise such a box, which follows its track closely, would take it from the
        person who was detected after all.
        """
        free = np.ones(len(similarity), bool)
        pairs = []
        for group in (~propagated, propagated):
            allowed = free[:, None] & group
            rows, columns = match(np.where(allowed, similarity, 0), self.match_thr)
            free[rows] = False
            pairs.append((rows, columns))
        return tuple(np.concatenate(sides) for sides in zip(*pairs, strict=True))

    def _continue(self, rows: np.ndarray, found: dict[str, np.ndarray]) -> None:
        """Give tracks at ``rows`` their detections; let old gaps end in death."""
        tracks = self.tracks
        tracks['gaps'] += 1
        tracks['gaps'][rows] = 0
        tracks['lengths'][rows] += 1
        for name in tracks.keys() & set(LAST):
            tracks[name][rows] = found[name]
        if 'history' in tracks:
            tracks['history'][rows, 1:] = tracks['history'][rows, :-1]
            tracks['history'][rows, 0] = found['poses']
        if 'features' in tracks:
            share = self.feature_momentum
            old = tracks['features'][rows]
            tracks['features'][rows] = share * old + (1 - share) * found['features']
        alive = tracks['gaps'] <= self.max_gap
        if not alive.all():
            self.tracks = {name: column[alive] for name, column in tracks.items()}

    def _begin(self, ids: np.ndarray, found: dict[str, np.ndarray]) -> None:
        """Add tracks of one detection each."""
        if not len(ids):
            return
        new = {name: found[name] for name in (*LAST, 'features') if name in found}
        new |= dict(ids=ids, gaps=np.zeros_like(ids), lengths=np.ones_like(ids))
        if 'poses' in new:
            # copies of the first pose, until there are others
            new['history'] = np.repeat(new['poses'][:, None], self.history, axis=1)
        for name, column in new.items():
            old = self.tracks.get(name, column[:0])
            self.tracks[name] = np.concatenate([old, column])
