"""PoseTrack's metric in MMEngine's form."""

import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmengine.utils import get_object_from_string
from mmpose.registry import METRICS

from ogn_mm.datasets.posetrack import sequence_files
from ogn_mm.structures.keypoint import POSETRACK17_JOINTS, POSETRACK18_JOINTS

from ..functional import (
    PoseSequence,
    PoseTrackReport,
    check_track_ids,
    in_long_tracks,
    read_frames,
    read_posetrack,
    remarks,
    write_posetrack,
)


class FramePoses(NamedTuple):
    """The M people that are found in a frame.

    Attributes:
        video (str): The video's name.
        frame (int): The frame's place in it.
        keypoints (np.ndarray): x, y in pixels, (M, 15, 2), by `POSETRACK17_JOINTS`.
        scores (np.ndarray): (M, 15).
        track_ids (np.ndarray | None): int, (M,).
    """

    video: str
    frame: int
    keypoints: np.ndarray
    scores: np.ndarray
    track_ids: np.ndarray | None


@METRICS.register_module()
class PoseTrackMetric(BaseMetric):
    """AP and CLEAR MOT of PoseTrack 2017, 2018 and 2021, HOTA and IDF1.

    AP, MOTA, MOTP, Prec and Rec are those of the official evaluator, to the last digit
    that it prints and far beyond. All sequences in ``gt_dir`` count, with frames for
    which there is no prediction as frames in which nobody is found. Frames that are not
    labelled count for nothing, whatever is found there. Samples may come in any order,
    from any number of processes, and more than once.

    A sample is a frame: ``video_id`` is the name of its JSON file without ending,
    ``frame_id`` its place in it, counted from 0. ``pred_instances`` hold ``keypoints``
    (M, K, 2) in pixels of the original image, ``keypoint_scores`` (M, K) and
    ``track_ids`` (M,), unique in a frame and below 10000. Where a sample lacks
    ``track_ids``, only AP is computed. Keypoints that are not finite count as not
    predicted.

    Args:
        gt_dir (str): Folder of PoseTrack's JSON files, one a sequence. With
            ``format_only`` they need no people.
        joint_mapping (str | Callable, optional): Function that turns keypoints
            (M, K, 2) and scores (M, K) into those of PoseTrack 2018's 17 joints or
            2017's 15, or where to import it from, such as
            ``'ogn_mm.structures.keypoint.coco_to_posetrack'`` for models trained on
            COCO. Defaults to None: joints are taken by the data set's names.
        outfile_prefix (str, optional): Folder for prediction files as the official
            server takes them, in the layout of the files in ``gt_dir``.
        format_only (bool): Whether to write them only, without evaluation. Defaults to
            False.
        keypoint_thr (float): Keypoints that score less count as not predicted. Defaults
            to 0.
        min_track_length (int): Poses of tracks that have fewer in their video are left
            out: an online tracker cannot know. Defaults to 1.
        hota (bool): Whether to compute HOTA and IDF1, which need TrackEval. Defaults to
            True.
        collect_device (str): As for `BaseMetric`. Defaults to ``'cpu'``.
        prefix (str, optional): As for `BaseMetric`. Defaults to ``'posetrack'``.

    Figures are in percent: ``AP``, ``MOTA``, ``MOTP``, ``Prec``, ``Rec``, ``HOTA`` and
    ``IDF1``, and for the columns Head, Shou, Elb, Wri, Hip, Knee and Ankl ``AP_Head``,
    ``MOTA_Head``, and so on. ``switches`` counts changes of identity, of each joint by
    itself: one of a whole person counts 15 times.

    Attributes:
        report (dict): Of the last evaluation, see :class:`PoseTrackReport`; also has
            the figures of each sequence.

    Raises:
        ValueError: Arguments, predictions or files are unusable.
        ImportError: TrackEval is needed and not installed.
    """

    default_prefix = 'posetrack'

    def __init__(
        self,
        gt_dir: str,
        joint_mapping: str | Callable | None = None,
        outfile_prefix: str | None = None,
        format_only: bool = False,
        keypoint_thr: float = 0.0,
        min_track_length: int = 1,
        hota: bool = True,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ):
        super().__init__(collect_device=collect_device, prefix=prefix)
        if format_only and not outfile_prefix:
            raise ValueError('`outfile_prefix` is needed with `format_only`.')
        if isinstance(joint_mapping, str):
            name = joint_mapping
            joint_mapping = get_object_from_string(name)
            if joint_mapping is None:
                raise ValueError(f'`joint_mapping`: there is no function {name!r}.')
        # Before hours of inference, not after.
        self.files = {file.stem: file for file in sequence_files(gt_dir)}
        PoseTrackReport(hota=hota and not format_only)
        self.gt_dir = gt_dir
        self.joint_mapping = joint_mapping
        self.outfile_prefix = outfile_prefix
        self.format_only = format_only
        self.keypoint_thr = keypoint_thr
        self.min_track_length = min_track_length
        self.hota = hota

    def process(self, data_batch: Sequence[dict], data_samples: Sequence[dict]) -> None:
        """Take a batch's predictions, and check them."""
        for sample in data_samples:
            video, frame = str(sample['video_id']), int(sample['frame_id'])
            if video not in self.files:
                raise ValueError(f'{self.gt_dir}: there is no {video}.json')
            instances = sample['pred_instances']
            place = f'predictions in frame {frame} of {video}'
            keypoints, scores = self.to_joints(
                *(
                    find(instances, field, place).astype(float)
                    for field in ('keypoints', 'keypoint_scores')
                ),
                place,
            )
            if not np.isfinite(scores).all():
                raise ValueError(f'{place}: `keypoint_scores` should be finite.')
            keypoints[scores < self.keypoint_thr] = np.nan
            track_ids = None
            if 'track_ids' in instances:
                ids = find(instances, 'track_ids', place).astype(int)
                track_ids = check_track_ids(place, np.full(len(ids), frame), ids)
            self.results.append(FramePoses(video, frame, keypoints, scores, track_ids))

    def to_joints(self, keypoints: np.ndarray, scores: np.ndarray, place: str):
        """Keypoints and scores of the 15 joints."""
        if not len(scores):
            num_joints = len(POSETRACK17_JOINTS)
            return np.zeros((0, num_joints, 2)), np.zeros((0, num_joints))
        if self.joint_mapping:
            keypoints, scores = self.joint_mapping(keypoints, scores)
            num = scores.shape[1]
            names = POSETRACK17_JOINTS if num == 15 else POSETRACK18_JOINTS
        else:
            id2name = (self.dataset_meta or {}).get('keypoint_id2name', {})
            names = [id2name[i] for i in sorted(id2name)]
        missing = [name for name in POSETRACK17_JOINTS if name not in names]
        if missing or scores.shape[1] != len(names):
            raise ValueError(
                f'{place}: {scores.shape[1]} keypoints, and the data set names '
                f'{len(names)}, without {", ".join(missing) or "any missing"}; '
                '`joint_mapping` should turn them into joints of PoseTrack.'
            )
        columns = [names.index(name) for name in POSETRACK17_JOINTS]
        return keypoints[:, columns, :2], scores[:, columns]

    def evaluate(self, size: int) -> dict:
        """Evaluate what all processes have; repeated samples are left out later.

        MMEngine would cut the samples off at ``size``, and with whole videos on one
        process lose others than the repeated ones.
        """
        return super().evaluate(sys.maxsize)

    def compute_metrics(self, results: list[FramePoses]) -> dict[str, float]:
        """The figures, or none with ``format_only``."""
        # MMEngine makes plain tuples of them
        results = [FramePoses(*poses) for poses in results]
        frames: dict[str, dict[int, FramePoses]] = {name: {} for name in self.files}
        for poses in results:
            frames[poses.video].setdefault(poses.frame, poses)
        unseen = sum(not found for found in frames.values())
        if unseen:
            warn(f'no predictions for {unseen} of {len(frames)} sequences')
        tracking = all(poses.track_ids is not None for poses in results)
        if tracking:
            frames = {
                name: drop_short_tracks(found, self.min_track_length)
                for name, found in frames.items()
            }
        if self.outfile_prefix:
            if not tracking:
                warn('the prediction files have made-up track ids')
            self.write(frames)
        if self.format_only:
            return {}
        if not tracking:
            warn('AP only, for there are predictions without `track_ids`')
        report = PoseTrackReport(tracking=tracking, hota=self.hota)
        for name, file in self.files.items():
            truth = read_posetrack(file, truth=True)
            report.add(name, truth, join_frames(name, frames[name], truth.num_frames))
        self.report = report.build()
        for remark in remarks(self.report):
            warn(remark)
        return figures(self.report)

    def write(self, frames: dict[str, dict[int, FramePoses]]) -> None:
        """Write the prediction files."""
        for name, file in self.files.items():
            listed = read_frames(file)
            found = join_frames(name, frames[name], len(listed))
            write_posetrack(Path(self.outfile_prefix) / file.name, listed, found)
        print_log(f'{self.outfile_prefix}: {len(frames)} prediction files', 'current')


def warn(message: str) -> None:
    """Log a warning."""
    print_log(f'PoseTrackMetric: {message}', 'current', logging.WARNING)


def find(instances: dict, field: str, place: str) -> np.ndarray:
    """A field of predictions, as an array.

    Raises:
        ValueError: There is no such field.
    """
    if field not in instances:
        raise ValueError(f'{place}: there is no `{field}`.')
    values = instances[field]
    return values.detach().cpu().numpy() if hasattr(values, 'cpu') else np.array(values)


def drop_short_tracks(
    frames: dict[int, FramePoses], min_length: int
) -> dict[int, FramePoses]:
    """A video's frames without the poses of short tracks."""
    kept = in_long_tracks([poses.track_ids for poses in frames.values()], min_length)
    return {
        place: poses._replace(
            keypoints=poses.keypoints[mask],
            scores=poses.scores[mask],
            track_ids=poses.track_ids[mask],
        )
        for (place, poses), mask in zip(frames.items(), kept, strict=True)
    }


def join_frames(
    name: str, frames: dict[int, FramePoses], num_frames: int
) -> PoseSequence:
    """A sequence of the frames that are there, the others without people.

    Args:
        name (str): Of the video.
        frames (dict[int, FramePoses]): By their places.
        num_frames (int): Of the video.

    Raises:
        ValueError: It has fewer frames.
    """
    if frames and max(frames) >= num_frames:
        raise ValueError(
            f'predictions in frame {max(frames)} of {name}: it has {num_frames} frames'
        )
    ordered = [frames[i] for i in sorted(frames)]
    num_joints = len(POSETRACK17_JOINTS)
    keypoints, scores = (
        np.concatenate([np.zeros((0, *shape)), *(getattr(f, field) for f in ordered)])
        for field, shape in (('keypoints', (num_joints, 2)), ('scores', (num_joints,)))
    )
    counts = [len(poses.scores) for poses in ordered]
    ids = [
        np.arange(count) if poses.track_ids is None else poses.track_ids
        for count, poses in zip(counts, ordered, strict=True)
    ]
    people_frames = np.repeat(np.array(sorted(frames), int), np.array(counts, int))
    return PoseSequence(
        source=f'predictions of {name}',
        num_frames=num_frames,
        labelled=np.bincount(people_frames, minlength=num_frames) > 0,
        frames=people_frames,
        track_ids=np.concatenate([np.zeros(0, int), *ids]),
        keypoints=keypoints,
        exist=np.isfinite(keypoints).all(axis=-1),
        scores=scores,
        head_sizes=np.full(len(people_frames), np.nan),
    )


def figures(report: dict) -> dict[str, float]:
    """The report's totals and columns under short names."""
    table = report['table']
    short = {f'AP_{column}': value for column, value in table['ap'].items()}
    if 'mot' in table:
        mot = table['mot']
        short |= {f'MOTA_{column}': mot[f'MOTA {column}'] for column in table['ap']}
        short |= {
            f'{name}_Total': mot[f'{name} Total'] for name in ('MOTP', 'Prec', 'Rec')
        }
        short['switches'] = sum(report['counts']['num_switches'])
    if 'identity' in report:
        for name in ('HOTA', 'IDF1'):
            short[f'{name}_Total'] = report['identity'][f'{name.lower()}_total']
    return {name.removesuffix('_Total'): value for name, value in short.items()}
