"""All of PoseTrack's figures, under the names of the official evaluator's."""

from collections import Counter

import numpy as np

from ogn_mm.structures.keypoint import POSETRACK17_JOINTS

from .posetrack_ap import (
    JointSamples,
    average_precisions,
    collect_samples,
    depends_on_ties,
    join_samples,
)
from .posetrack_hits import clean_up, find_hits
from .posetrack_identity import IdentityMetrics
from .posetrack_sequence import PoseSequence
from .posetrack_tracking import track_joints, tracking_metrics

COLUMNS = {
    'Head': ('head_top', 'head_bottom', 'nose'),
    'Shou': ('right_shoulder', 'left_shoulder'),
    'Elb': ('right_elbow', 'left_elbow'),
    'Wri': ('right_wrist', 'left_wrist'),
    'Hip': ('right_hip', 'left_hip'),
    'Knee': ('right_knee', 'left_knee'),
    'Ankl': ('right_ankle', 'left_ankle'),
}
COUNTS = (
    'num_misses',
    'num_switches',
    'num_false_positives',
    'num_objects',
    'num_detections',
    'sum_dist_raw',
    'sum_dist_matched',
    'sum_dist_extra',
)
UNLABELLED = 'people with keypoints in unlabelled frames of the ground truth'
# What is summed where no sequence is left.
NO_COUNTS = np.zeros(len(POSETRACK17_JOINTS), int)
NO_SAMPLES = JointSamples(
    scores=np.zeros((0, len(NO_COUNTS))),
    correct=np.zeros((0, len(NO_COUNTS)), bool),
    exist=np.zeros((0, len(NO_COUNTS)), bool),
    num_truth=NO_COUNTS,
)


class PoseTrackReport:
    """Figures of sequences that are added one by one; only sums are kept of them.

    Args:
        tracking (bool): Whether the predictions have track ids. Without, only AP is
            computed. Defaults to True.
        hota (bool): Whether to compute HOTA and IDF1 as well, which takes several times
            as long as all else. Needs TrackEval. Defaults to False.

    Raises:
        ImportError: TrackEval is needed and not installed.
    """

    def __init__(self, tracking: bool = True, hota: bool = False) -> None:
        self.tracking = tracking
        self.identity = IdentityMetrics() if hota and tracking else None
        self.samples: list[JointSamples] = []
        self.counts: list[dict[str, np.ndarray]] = []
        self.sequences: dict[str, dict] = {}
        self.num_frames: list[int] = []
        self.skipped: Counter = Counter()

    def add(self, name: str, truth: PoseSequence, found: PoseSequence) -> None:
        """Evaluate a sequence; where nobody is annotated it has no part in anything.

        Args:
            name (str): Of the sequence.
            truth (PoseSequence): Its ground truth.
            found (PoseSequence): The predictions.

        Raises:
            ValueError: The predictions do not have the frames of the ground truth in
                its order, or a true person beside predictions has no head box.
        """
        for kind, side in (('ground truth', truth), ('predictions', found)):
            for reason, number in side.skipped.items():
                self.skipped[f'{reason} in the {kind}'] += number
        unlabelled = ~truth.labelled[truth.frames] & truth.exist.any(axis=1)
        # which the official evaluator, that does not read `is_labeled`, counts
        self.skipped[UNLABELLED] += int(unlabelled.sum())
        truth, found = clean_up(truth, found)
        if not truth.num_frames:
            return
        hits = find_hits(truth, found)
        samples = collect_samples(truth, found, hits)
        self.samples.append(samples)
        self.num_frames.append(truth.num_frames)
        self.sequences[name] = dict(ap=summarize(average_precisions(samples)))
        if self.tracking:
            counts = track_joints(truth, found, hits)
            self.counts.append(counts)
            self.sequences[name]['mot'] = summarize(tracking_metrics(counts))
        if self.identity:
            self.identity.add(name, truth, found, hits)

    def build(self) -> dict:
        """All figures so far.

        Returns:
            dict: In percent, lists of 15 by the order of ``joints``, and totals, which
            are means of the joints that are not NaN: ``ap`` (``ap``, ``pre``, ``rec``),
            ``mot`` (``mota``, ``motp``, ``pre``, ``rec``), ``table`` (what the official
            evaluator prints), ``counts``, ``sequences`` (both for each alone) and
            ``depends_on_tie_order``: whether AP hangs on the order of equal scores,
            and ``skipped``: what of the files did not count, by reason.
            With ``hota`` also ``identity`` (``hota``, ``deta``, ``assa``, ``idf1``,
            ``idp``, ``idr``), which the official evaluator does not know.
        """
        samples = join_samples([NO_SAMPLES, *self.samples])
        ap = summarize(average_precisions(samples))
        counts = dict(
            frames_used_ap=sum(self.num_frames),
            num_gt_joints=samples.num_truth.tolist(),
            num_predicted_joints=samples.exist.sum(axis=0).tolist(),
        )
        table = dict(ap=by_column(ap['ap']) | {'Total': ap['ap_total']})
        report = dict(joints=list(POSETRACK17_JOINTS), ap=ap)
        if self.tracking:
            sums = add_counts(self.counts)
            report['mot'] = mot = summarize(tracking_metrics(sums))
            counts['frames_used_mot'] = sum(self.num_frames) - len(self.num_frames)
            counts |= {name: values.tolist() for name, values in sums.items()}
            mota = by_column(mot['mota']) | {'Total': mot['mota_total']}
            table['mot'] = {f'MOTA {name}': value for name, value in mota.items()} | {
                'MOTP Total': mot['motp_total'],
                'Prec Total': mot['pre_total'],
                'Rec Total': mot['rec_total'],
            }
        if self.identity:
            report['identity'] = summarize(self.identity.build())
        return report | dict(
            table=table,
            counts=counts,
            sequences=self.sequences,
            depends_on_tie_order=depends_on_ties(samples),
            skipped=dict(+self.skipped),
        )


def remarks(report: dict) -> list[str]:
    """What the reader of a report should know beside its figures, a sentence each."""
    found = [f'left out {number} {what}' for what, number in report['skipped'].items()]
    if report['depends_on_tie_order']:
        found.append('AP depends on the order of equal scores, which is arbitrary')
    return found


def add_counts(counts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Sums over sequences, with the sum of all distances."""
    sums = {
        name: np.sum([NO_COUNTS, *(each[name] for each in counts)], axis=0)
        for name in COUNTS
    }
    parts = [sums[name] for name in COUNTS if name.startswith('sum_dist')]
    return sums | dict(sum_dist=np.sum(parts, axis=0))


def summarize(metrics: dict[str, np.ndarray]) -> dict:
    """Metrics as lists, and their totals."""
    totals = {f'{name}_total': mean_known(values) for name, values in metrics.items()}
    return {name: values.tolist() for name, values in metrics.items()} | totals


def mean_known(values: np.ndarray) -> float:
    """Mean of what is not NaN; NaN if all is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan


def by_column(values: list[float]) -> dict[str, float]:
    """Means over the joints of each column; NaN if one of them is."""
    by_name = dict(zip(POSETRACK17_JOINTS, values, strict=True))
    return {
        column: float(np.mean([by_name[joint] for joint in joints]))
        for column, joints in COLUMNS.items()
    }
