"""HOTA and IDF1 of tracked joints, computed by TrackEval.

TrackEval is the reference implementation of HOTA (Luiten et al., "HOTA: A Higher Order
Metric for Evaluating Multi-Object Tracking", 2020); IDF1 is that of Ristani et al.
(2016).
"""

import numpy as np

from ogn_mm.structures.keypoint import POSETRACK17_JOINTS

from .posetrack_hits import HIT, Hits
from .posetrack_sequence import PoseSequence

FIELDS = ('HOTA', 'DetA', 'AssA', 'IDF1', 'IDP', 'IDR')
REQUIREMENT = 'trackeval>=1.3.0,<2.0.0'


class IdentityMetrics:
    """HOTA and IDF1 of sequences that are added one by one.

    As for PoseTrack21 (Doering et al. 2022) every joint is an object of its own, and
    the similarity of a predicted and a true joint is 1 - d / 0.5 with their distance d
    in head sizes, and 0 beyond 0.5. HOTA, DetA and AssA are means over the thresholds
    0.05, 0.10, ... 0.95 of this similarity. IDF1, IDP and IDR count a pair within 0.5
    head sizes as a match. None of the oddities of PoseTrack's MOTA apply: all labelled
    frames count, and all people in them.

    Raises:
        ImportError: TrackEval is not installed; the message says what to run.
    """

    def __init__(self) -> None:
        try:
            from trackeval.metrics import HOTA, Identity
        except ImportError as error:
            raise ImportError(
                'HOTA and IDF1 need TrackEval. Please run: '
                f"pip install --no-deps '{REQUIREMENT}' tabulate"
            ) from error
        self.hota = HOTA()
        self.identity = Identity(dict(THRESHOLD=0.5, PRINT_CONFIG=False))
        self.results: dict[str, list[tuple[dict, dict]]] = {}
        self.num_truth = np.zeros(len(POSETRACK17_JOINTS), int)

    def add(
        self, name: str, truth: PoseSequence, found: PoseSequence, hits: Hits
    ) -> None:
        """Evaluate a sequence.

        Args:
            name (str): Of the sequence.
            truth (PoseSequence): The ground truth, as `clean_up` leaves it.
            found (PoseSequence): The predictions, likewise.
            hits (Hits): Of both.
        """
        self.num_truth += truth.exist.sum(axis=0)
        self.results[name] = []
        for joint in range(truth.exist.shape[1]):
            data = joint_tracks(truth, found, hits, joint)
            hota = self.hota.eval_sequence(data)
            data['similarity_scores'] = [s > 0 for s in data['similarity_scores']]
            self.results[name].append((hota, self.identity.eval_sequence(data)))

    def build(self) -> dict[str, np.ndarray]:
        """Of all sequences so far.

        Returns:
            dict[str, np.ndarray]: ``hota``, ``deta``, ``assa``, ``idf1``, ``idp`` and
            ``idr`` in percent, (15,); NaN for joints that are never annotated.
        """
        if not self.results:
            return {f.lower(): np.full(len(self.num_truth), np.nan) for f in FIELDS}
        values = np.transpose([self.combine(i) for i in range(len(self.num_truth))])
        values = np.where(self.num_truth, 100 * values, np.nan)
        return {f.lower(): row for f, row in zip(FIELDS, values, strict=True)}

    def combine(self, joint: int) -> list[float]:
        """The figures of one joint over all sequences, in [0, 1]."""
        hota, identity = (
            metric.combine_sequences(
                {name: joints[joint][k] for name, joints in self.results.items()}
            )
            for k, metric in enumerate((self.hota, self.identity))
        )
        return [float(np.mean((hota | identity)[field])) for field in FIELDS]


def joint_tracks(
    truth: PoseSequence, found: PoseSequence, hits: Hits, joint: int
) -> dict:
    """The tracks of one joint in a sequence, as TrackEval's metrics take them."""
    sides = [side.take(side.exist[:, joint]) for side in (truth, found)]
    ids = [np.unique(side.track_ids, return_inverse=True) for side in sides]
    counts = [side.counts() for side in sides]
    cuts = [c.cumsum()[:-1] for c in counts]

    # One array of all frames' matrices, each by rows.
    of_joint = hits.joints == joint
    frames = truth.frames[hits.truth[of_joint]]
    row, column = (
        side.exist[:, joint].cumsum()[people[of_joint]] - 1 - (c.cumsum() - c)[frames]
        for side, people, c in (
            (truth, hits.truth, counts[0]),
            (found, hits.found, counts[1]),
        )
    )
    sizes = counts[0] * counts[1]
    similarity = np.zeros(sizes.sum())
    place = (sizes.cumsum() - sizes)[frames] + row * counts[1][frames] + column
    # At 0.5 head sizes a pair is still a match: it must not get 0.
    similarity[place] = np.maximum(1 - hits.distances[of_joint] / HIT, 1e-9)
    blocks = np.split(similarity, sizes.cumsum()[:-1])
    return dict(
        num_timesteps=truth.num_frames,
        gt_ids=np.split(ids[0][1], cuts[0]),
        tracker_ids=np.split(ids[1][1], cuts[1]),
        similarity_scores=[
            block.reshape(shape) for block, *shape in zip(blocks, *counts, strict=True)
        ],
        num_gt_ids=len(ids[0][0]),
        num_tracker_ids=len(ids[1][0]),
        num_gt_dets=len(sides[0].frames),
        num_tracker_dets=len(sides[1].frames),
    )
