"""From a video's frames to poses with identities, all of it in one config."""

import numpy as np
import torch
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import MODELS, TASK_UTILS
from mmpose.structures import PoseDataSample

from ogn_mm.datasets import CocoKeypointDetectionDataset
from ogn_mm.structures.bbox.checks import check_count

from ..roi_heads import KeypointRoIHead
from ..utils import (
    build_part,
    choose_poses,
    pack_image,
    pack_people,
    predict_people,
)
from .association import sample_flow
from .composite_model import CompositeModel
from .propagation import Propagation

KEYPOINTS = ('keypoints', 'keypoint_scores')


@MODELS.register_module()
class VideoPoseEstimator(CompositeModel):
    """Detector, pose network and tracker, frame by frame (section 4.2).

    Per frame: detect people, choose among the boxes, add boxes that optical flow
    carries over from the frame before, estimate poses, suppress doubles, compare with
    the tracks. A video's frames have to come in order; another ``video_id``, or
    ``frame_id`` 0, begins a new one. Only the last frame and living tracks are kept.

    A network that gives keypoints by itself, such as the offset-guided Mask R-CNN, is a
    ``detector`` without ``pose_estimator``. Without ``detector`` people are taken from
    the data's annotations; without either, their poses are, too. That shows what the
    tracker does by itself.

    The checkpoint of one network serves as the pose network's weights, or, without one,
    as the detector's; the other parts then need theirs by ``checkpoint``.

    Args:
        tracker (dict): Config of :class:`PoseTracker`.
        detector (dict, optional): ``config``, a path, with ``checkpoint`` and
            ``cfg_options`` if wanted, of a detector of MMDetection.
        pose_estimator (dict, optional): The same of a top-down network of MMPose.
        box_filter (dict, optional): Config of a box filter, for a detector that does
            not suppress boxes itself.
        pose_nms_cfg (dict, optional): Thresholds for
            :func:`~ogn_mm.evaluation.functional.pose_nms`. Defaults to the paper's; to
            no suppression where annotations stand in for a detector.
        appearance (dict, optional): Config of :class:`ReIDFeatures` or the like.
        flow (dict, optional): Config of :class:`DISFlow` or :class:`RAFTFlow`.
        propagation (dict, optional): Arguments of :class:`Propagation`: boxes that flow
            carries over, for the pose network or the keypoint head of Mask R-CNN. They
            never found a track. None: no such boxes.
        metainfo (dict, optional): Of the keypoints, as in MMPose's data sets. Defaults
            to that of the test data of the network that gives them, else COCO's.
        person_label (int): A person's label in the detector. Defaults to 0.
        people_per_batch (int): People that the pose network sees at once. Defaults to
            64.

    Raises:
        ValueError: Parts that need each other are not all there, or settings are out
            of their range or unknown.
    """

    def __init__(
        self,
        tracker: dict,
        detector: dict | None = None,
        pose_estimator: dict | None = None,
        box_filter: dict | None = None,
        pose_nms_cfg: dict | None = None,
        appearance: dict | None = None,
        flow: dict | None = None,
        propagation: dict | None = None,
        metainfo: dict | None = None,
        person_label: int = 0,
        people_per_batch: int = 64,
    ):
        parts = dict(
            detector=detector,
            pose_estimator=pose_estimator,
            appearance=appearance,
            flow=flow,
        )
        super().__init__({k for k, v in parts.items() if v and v.get('checkpoint')})
        check_count('people_per_batch', people_per_batch)
        self.main = 'pose_estimator' if pose_estimator else 'detector'
        self.detector = self.pose_estimator = None
        if detector:
            self.detector, self.detector_pipeline = build_part('mmdet', **detector)
        if pose_estimator:
            self.pose_estimator, self.pipeline = build_part('mmpose', **pose_estimator)
        self.box_filter = box_filter and TASK_UTILS.build(box_filter)
        self.pose_nms_cfg = pose_nms_cfg or {}
        if not detector:
            self.pose_nms_cfg = dict(oks_thr=1.0, iou_thr=1.0) | self.pose_nms_cfg
        self.appearance = appearance and MODELS.build(appearance)
        self.flow = flow and TASK_UTILS.build(flow)
        self.propagation = None
        if propagation is not None:
            self.propagation = Propagation(**propagation)
        self.tracker = TASK_UTILS.build(tracker)
        self.person_label = person_label
        self.people_per_batch = people_per_batch
        self.dataset_meta = (
            parse_pose_metainfo(metainfo) if metainfo else self._find_metainfo()
        )
        for cue in self.tracker.cues:
            if getattr(cue, 'sigmas', ...) is None:
                cue.sigmas = self.dataset_meta['sigmas']
        self._check_parts()
        self._check_settings()
        self.video_id = self.previous = None

    @property
    def poses_in_boxes(self) -> bool:
        """Whether a pose network of its own finds poses in given boxes."""
        return self.pose_estimator is not None

    @property
    def needs_annotations(self) -> bool:
        """Whether people, at least, are taken from the data's annotations."""
        return self.detector is None

    def _find_metainfo(self) -> dict:
        for part in (self.pose_estimator, self.detector):
            if part is not None and part.dataset_meta is not None:
                return part.dataset_meta
        return CocoKeypointDetectionDataset._load_metainfo()

    def _check_parts(self) -> None:
        if 'features' in self.tracker.fields and not self.appearance:
            raise ValueError(
                'VideoPoseEstimator: a cue compares features: `appearance` is needed'
            )
        compared = any(cue.needs_flow for cue in self.tracker.cues)
        if (compared or self.propagation) and not self.flow:
            raise ValueError(
                'VideoPoseEstimator: FlowOKS and `propagation` need `flow`'
            )
        keypoint_head = isinstance(
            getattr(self.detector, 'roi_head', None), KeypointRoIHead
        )
        if self.propagation and not (self.poses_in_boxes or keypoint_head):
            raise ValueError(
                'VideoPoseEstimator: `propagation` needs a `pose_estimator`, or a '
                'detector with a KeypointRoIHead, which finds poses in given boxes'
            )

    def _check_settings(self) -> None:
        """What would else come up at the first frame, or never."""
        count = self.dataset_meta['num_keypoints']
        for cue in self.tracker.cues:
            sigmas = getattr(cue, 'sigmas', None)
            if sigmas is not None and len(sigmas) != count:
                raise ValueError(
                    f'VideoPoseEstimator: {type(cue).__name__} has {len(sigmas)} '
                    f'sigmas for {count} keypoints'
                )
        nobody = InstanceData(
            keypoints=np.zeros((0, count, 2)),
            keypoint_scores=np.zeros((0, count)),
            bboxes=np.zeros((0, 4)),
            bbox_scores=np.zeros(0),
        )
        self._choose(nobody, np.zeros(0))

    def test_step(self, data: dict) -> list[PoseDataSample]:
        """As `BaseModel.test_step`; frames stay on the CPU, where they are cut up."""
        return self._run_forward(data, mode='predict')

    def forward(self, inputs, data_samples, mode: str = 'predict'):
        """Track the next frames.

        Args:
            inputs (Sequence[Tensor]): Images, uint8, BGR, each (3, H, W).
            data_samples (list[PoseDataSample]): Their metainfo has ``video_id`` and
                ``frame_id``; without a detector ``gt_instances`` have ``bboxes``.
            mode (str): 'predict'.

        Returns:
            list[PoseDataSample]: The same, with ``pred_instances``: ``bboxes`` (M, 4),
            ``bbox_scores`` (M,), ``keypoints`` (M, K, 2), ``keypoint_scores`` (M, K),
            ``pose_scores`` (M,) and ``track_ids`` (M,), numpy.
        """
        if mode != 'predict':
            raise NotImplementedError('VideoPoseEstimator: its parts are trained alone')
        for image, sample in zip(inputs, data_samples, strict=True):
            pixels = image.permute(1, 2, 0).contiguous().cpu().numpy()
            sample.pred_instances = self.track(pixels, sample)
        return data_samples

    def begin(self, video_id, state: dict | None = None, previous=None) -> None:
        """Begin a video, or go on where one was interrupted.

        Args:
            video_id: Of the video.
            state (dict, optional): Of :meth:`PoseTracker.state`.
            previous (np.ndarray, optional): The frame before the next one, BGR.
        """
        self.video_id, self.previous = video_id, previous
        self.tracker.reset()
        if state is not None:
            self.tracker.restore(state)

    @torch.no_grad()
    def track(self, image: np.ndarray, sample: PoseDataSample) -> InstanceData:
        """Poses of the next frame that have an identity; see :meth:`forward`."""
        if sample.video_id != self.video_id or sample.frame_id == 0:
            self.begin(sample.video_id)
        carried = None
        if self.flow and self._follow(image) and self.propagation:
            carried = self.propagation.carry_over(self.tracker)
        found = self.detect(image, sample, carried)
        found.propagated = np.zeros(len(found), bool)
        if carried is not None:
            found = self.propagation.complement(found, carried)
        found = self.estimate(image, sample, found)
        poses = np.concatenate(
            [found.keypoints, found.keypoint_scores[..., None]], axis=-1
        )
        detections = dict(
            bboxes=found.bboxes,
            bbox_scores=found.bbox_scores,
            scores=found.pose_scores,
            poses=poses,
            propagated=found.pop('propagated'),
        )
        if self.appearance:
            detections['features'] = self.appearance(image, found.bboxes)
        found.track_ids = self.tracker.update(detections)
        self.previous = image
        return found[found.track_ids >= 0]

    def detect(
        self,
        image: np.ndarray,
        sample: PoseDataSample,
        carried: InstanceData | None = None,
    ) -> InstanceData:
        """People of an image: boxes, their scores, and keypoints where they are known.

        Args:
            image (np.ndarray): BGR, (H, W, 3).
            sample (PoseDataSample): The frame's, with annotations if they are wanted.
            carried (InstanceData, optional): With ``bboxes`` in which a detector that
                gives keypoints finds them, too; gets its columns.

        Returns:
            InstanceData: ``bboxes`` and ``bbox_scores``, without a pose network
            ``keypoints`` and ``keypoint_scores`` as well; float32, numpy.
        """
        if self.detector is None:
            found = sample.gt_instances
            names = dict(keypoint_scores='keypoints_visible')
            columns = dict(bbox_scores=np.ones(len(found.bboxes), np.float32))
        else:
            found = self._run_detector(image, carried)
            names, columns = dict(bbox_scores='scores'), {}
        wanted = ['bboxes', 'bbox_scores']
        if not self.poses_in_boxes:
            wanted += KEYPOINTS
        for name in wanted:
            if name not in columns:
                columns[name] = to_array(found[names.get(name, name)])
        return InstanceData(**columns)

    def _run_detector(
        self, image: np.ndarray, carried: InstanceData | None
    ) -> InstanceData:
        with DefaultScope.overwrite_default_scope('mmdet'):
            packed = pack_image(self.detector_pipeline, image)
            given = carried is not None and not self.poses_in_boxes
            if given:
                boxes = torch.from_numpy(carried.bboxes)
                packed['data_samples'].given_instances = InstanceData(bboxes=boxes)
            batch = {name: [value] for name, value in packed.items()}
            (result,) = self.detector.test_step(batch)
        if given:
            for name in KEYPOINTS:
                carried.set_field(to_array(result.given_instances[name]), name)
        found = result.pred_instances
        found = found[found.labels == self.person_label]
        if self.box_filter:
            found = found[self.box_filter(found.bboxes, found.scores)]
        return found

    def _follow(self, image: np.ndarray) -> bool:
        """Move the tracks' poses by optical flow; False if there is nothing to move."""
        if (
            self.previous is None
            or not len(self.tracker)
            or self.previous.shape != image.shape
        ):
            return False
        flow = self.flow.flow(self.previous, image)
        self.tracker.move(lambda points: sample_flow(flow, points))
        return True

    def estimate(
        self, image: np.ndarray, sample: PoseDataSample, found: InstanceData
    ) -> InstanceData:
        """Poses in the boxes that were found, without doubles, best first."""
        sides = found.bboxes[:, 2:] - found.bboxes[:, :2]
        if self.poses_in_boxes:
            found, sides = self._run_pose_estimator(image, sample, found)
        return self._choose(found, sides.prod(axis=1))

    def _choose(self, found: InstanceData, areas: np.ndarray) -> InstanceData:
        sigmas = self.dataset_meta['sigmas']
        return found[choose_poses(found, areas, sigmas, **self.pose_nms_cfg)]

    def _run_pose_estimator(self, image, sample, found):
        """The people with their poses, and the sides of their extended boxes."""
        if not len(found):
            count = self.dataset_meta['num_keypoints']
            found.keypoints = np.zeros((0, count, 2), np.float32)
            found.keypoint_scores = np.zeros((0, count), np.float32)
            return found, np.zeros((0, 2), np.float32)
        people = pack_people(
            self.pipeline,
            image,
            sample.get('img_path'),
            found.bboxes,
            found.bbox_scores,
            self.dataset_meta,
        )
        merged = predict_people(self.pose_estimator, people, self.people_per_batch)
        found.keypoints = merged.pred_instances.keypoints.astype(np.float32)
        scores = merged.pred_instances.keypoint_scores
        found.keypoint_scores = scores.astype(np.float32)
        return found, merged.gt_instances.bbox_scales


def to_array(column) -> np.ndarray:
    """A column of instances, float32."""
    return torch.as_tensor(column).float().cpu().numpy()
