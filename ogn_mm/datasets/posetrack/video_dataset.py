"""Frames of whole videos, in their order."""

import logging
import os.path as osp
from collections.abc import Callable
from itertools import groupby

import numpy as np
from mmdet.registry import DATASETS as DETECTION_DATASETS
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import DATASETS

from ogn_mm.datasets.checked_images import CheckedImages
from ogn_mm.datasets.checks import require_images
from ogn_mm.structures.keypoint import POSETRACK18_JOINTS

from .annotations import ABSENT, Sequence, read_sequence
from .coco import box_of_keypoints
from .files import frame_number, sequence_files

# What a frame's sample says about it; `PackPoseInputs` packs what it is asked for.
FRAME_KEYS = (
    'img_id',
    'img_path',
    'ori_shape',
    'img_shape',
    'video_id',
    'frame_id',
    'video_length',
    'ignore_regions',
)
PIPELINE = (
    dict(type='mmpose.LoadImage'),
    dict(type='mmpose.PackPoseInputs', meta_keys=FRAME_KEYS),
)


@DETECTION_DATASETS.register_module()
@DATASETS.register_module()
class PoseTrackVideoDataset(CheckedImages, BaseDataset):
    """The frames of videos with PoseTrack's annotations, for testing trackers.

    One item a frame, labelled or not: videos by their files' names, the frames of each
    as they are listed. With :class:`~ogn_mm.datasets.VideoSampler` a process gets whole
    videos in this order, and data loader workers read frames ahead of the network.

    Items are what the pipeline makes of a frame; the default one gives ``inputs``, the
    image as (3, H, W), uint8, BGR, and ``data_samples``, a `PoseDataSample`. Its
    metainfo are ``img_id``, ``img_path``, ``ori_shape`` and ``img_shape`` (H, W),
    ``video_id``, the JSON file's name without ending, ``frame_id``, counted from 0,
    ``video_length``, and ``ignore_regions``, a list of polygons' corners, (V, 2). Its
    ``gt_instances`` hold the labelled people, as numpy arrays in pixels: ``bboxes`` x1,
    y1, x2, y2, (N, 4), made of the keypoints where the file has none;
    ``keypoints``, (N, 17, 2), in the order of `POSETRACK18_JOINTS`;
    ``keypoints_visible``, (N, 17), 1 for joints that are labelled; ``track_ids``,
    (N,). Nothing is left out on account of ignore regions: that is the evaluator's
    business.

    Args:
        ann_dir (str): Folder of PoseTrack's JSON files, of 2017, 2018 or 2021, in
            ``data_root``. Those of test sequences need no people.
        data_root (str): Defaults to ''.
        data_prefix (dict): ``img`` is the folder in ``data_root`` that file names
            start from. Defaults to ``dict(img='')``.
        pipeline (Sequence[dict | Callable]): Defaults to loading and packing.
        metainfo (dict, optional): MMPose's description of a skeleton, or
            ``dict(from_file=...)``. Defaults to PoseTrack 2018's.
        check_images (bool): Whether every frame must exist. Only local files are looked
            for. Defaults to True.
        **kwargs: As for MMEngine's `BaseDataset` and :class:`CheckedImages`.

    Raises:
        ValueError: A file is unusable.
        FileNotFoundError: There are no files, or images are missing.
    """

    METAINFO = dict(from_file='configs/_base_/datasets/posetrack18.py')

    def __init__(
        self,
        ann_dir: str,
        data_root: str = '',
        data_prefix: dict | None = None,
        pipeline: tuple[dict | Callable, ...] | list = PIPELINE,
        metainfo: dict | None = None,
        check_images: bool = True,
        **kwargs,
    ):
        self.check_images = check_images
        super().__init__(
            ann_file=ann_dir,
            data_root=data_root,
            data_prefix=data_prefix or dict(img=''),
            pipeline=list(pipeline),
            metainfo=metainfo,
            **kwargs,
        )

    @classmethod
    def _load_metainfo(cls, metainfo: dict | None = None) -> dict:
        return parse_pose_metainfo(metainfo or cls.METAINFO)

    def load_data_list(self) -> list[dict]:
        """Read the folder, and say in one line of the log what is there."""
        sequences = [read_sequence(path) for path in sequence_files(self.ann_file)]
        frames = [frame for sequence in sequences for frame in self._frames(sequence)]
        if self.check_images:
            require_images((frame['img_path'] for frame in frames), self.ann_file)
        print_log(
            f'{self.ann_file}: {len(frames)} frames of {len(sequences)} videos',
            logger='current',
        )
        mixed = [sequence.name for sequence in sequences if not in_order(sequence)]
        if mixed:
            print_log(
                f'{self.ann_file}: {len(mixed)} videos list their frames in another '
                f'order than that of their numbers, the first is {mixed[0]}; they are '
                'shown to the tracker as they are listed',
                'current',
                logging.WARNING,
            )
        return frames

    def _frames(self, sequence: Sequence) -> list[dict]:
        groups = {frame['id']: [] for frame in sequence.frames}
        for person in sequence.people:
            groups[person['image_id']].append(person)
        return [
            dict(
                img_id=frame['id'],
                img_path=osp.join(self.data_prefix['img'], frame['file_name']),
                video_id=sequence.name,
                frame_id=position,
                video_length=len(sequence.frames),
                ignore_regions=frame['ignore_regions'],
                **pack_people(groups[frame['id']]),
            )
            for position, frame in enumerate(sequence.frames)
        ]

    @property
    def video_lengths(self) -> list[int]:
        """Number of frames of each video, in the order of the items."""
        videos = (self.get_data_info(i)['video_id'] for i in range(len(self)))
        return [len(list(frames)) for _, frames in groupby(videos)]

    def get_data_info(self, idx: int) -> dict:
        info = super().get_data_info(idx)
        fields = ('bboxes', 'keypoints', 'keypoints_visible', 'track_ids')
        return info | dict(instance_mapping_table={name: name for name in fields})


def in_order(sequence: Sequence) -> bool:
    """Whether the frames come by their numbers, as far as their names have some."""
    numbers = [frame_number(frame['file_name']) for frame in sequence.frames]
    return None in numbers or numbers == sorted(numbers)


def pack_people(people: list[dict]) -> dict:
    """The people of a frame as arrays."""
    keypoints = [person['keypoints'] for person in people]
    boxes = [
        person.get('bbox') or box_of_keypoints(person['keypoints']) for person in people
    ]
    keypoints = np.array(keypoints, np.float32).reshape(-1, len(POSETRACK18_JOINTS), 3)
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return dict(
        bboxes=boxes,
        keypoints=keypoints[..., :2],
        keypoints_visible=(keypoints[..., 2] != ABSENT).astype(np.float32),
        track_ids=np.array([person['track_id'] for person in people], np.int64),
    )
