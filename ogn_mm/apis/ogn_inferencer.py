"""From images and videos to poses, by the paper's test protocol."""

import inspect
import logging
import os.path as osp

import cv2
import numpy as np
import torch
from mmengine.infer import BaseInferencer
from mmengine.logging import print_log
from mmengine.structures import InstanceData
from mmpose.apis import Pose2DInferencer
from mmpose.registry import INFERENCERS, TASK_UTILS
from mmpose.structures import PoseDataSample

from ogn_mm.datasets.images import (
    BrokenImageError,
    file_kind,
    list_images,
    read_image,
)
from ogn_mm.engine.skeletons import choose_skeleton
from ogn_mm.models.utils import (
    choose_poses,
    find_config,
    pack_people,
    predict_people,
)

from .video_io import FrameReader, is_webcam


@INFERENCERS.register_module()
class OGNInferencer(Pose2DInferencer):
    """MMPose's `Pose2DInferencer` under the paper's test protocol (section 4.1).

    `Pose2DInferencer` drops boxes scored below 0.3 and thins out the others by NMS
    at an IoU of 0.3, which would undo a greedy box generation. Here a box filter
    chooses the boxes, all people of an image are estimated in batches from an image
    read once, and an NMS by OKS and IoU chooses among their poses. Where nobody is
    found the result is no pose, rather than one of the whole image.

    The instances of a result have ``keypoints`` (N, K, 2) in image pixels,
    ``keypoint_scores`` (N, K), ``bboxes`` (N, 4) x1, y1, x2, y2 as detected,
    ``bbox_scores`` (N,), and ``pose_scores`` (N,), box score times pose score, by
    which they are sorted.

    Args:
        model (str | dict): See :func:`find_model`. It is needed: a config in a
            checkpoint would be a program of whoever made it.
        weights, device, scope, *args: As for `Pose2DInferencer`.
        det_model (str | dict, optional): The detector, likewise; ``'whole_image'`` for
            none.
        box_filter (dict, optional): Config of a box filter, for example
            ``dict(type='mmdet.GreedyBoxGeneration')``, for a detector that does not
            suppress boxes itself. None takes the boxes as they come.
        pose_nms_cfg (dict, optional): Thresholds for
            :func:`~ogn_mm.evaluation.functional.pose_nms`.
        people_per_batch (int): People that the pose network sees at once.
            Defaults to 64.
        **kwargs: As for `Pose2DInferencer`; ``det_cat_ids`` is 0, a person, if it is
            left out.

    Attributes:
        skipped (list[str]): Files and frames that could not be read.
    """

    preprocess_kwargs = {'bboxes', 'bbox_thr'}
    forward_kwargs = set()
    visualize_kwargs = Pose2DInferencer.visualize_kwargs | {'pose_thr'}

    def __init__(
        self,
        model=None,
        weights: str | None = None,
        device: str | None = None,
        scope: str = 'mmpose',
        det_model=None,
        *args,
        box_filter: dict | None = None,
        pose_nms_cfg: dict | None = None,
        people_per_batch: int = 64,
        **kwargs,
    ):
        if people_per_batch < 1:
            raise ValueError(
                f'people_per_batch should be at least 1, got {people_per_batch}'
            )
        self.require_model(model)
        self.weights = weights or model  # of a model zoo, for messages
        self.box_filter = box_filter and TASK_UTILS.build(box_filter)
        self.pose_nms_cfg = pose_nms_cfg or {}
        self.people_per_batch = people_per_batch
        self.skipped = []
        if det_model not in ('whole_image', 'whole-image'):
            det_model = find_model(det_model, 'mmdet')
        super().__init__(
            find_model(model, 'mmpose'),
            weights,
            device,
            scope,
            det_model,
            *args,
            **{'det_cat_ids': 0} | kwargs,
        )
        if self.cfg.data_mode != 'topdown':
            raise ValueError(
                f'{type(self).__name__} needs a top-down model, `data_mode` is '
                f'{self.cfg.data_mode!r}'
            )

    def _load_weights_to_model(self, model, checkpoint: dict | None, cfg) -> None:
        super()._load_weights_to_model(model, checkpoint, cfg)
        model.dataset_meta = choose_skeleton(checkpoint, cfg, model, self.weights)

    def require_model(self, model) -> None:
        """Raise ValueError if there is none: upstream runs the checkpoint's own."""
        if model is None:
            raise ValueError(f'{type(self).__name__}: needs a `model`, a config')

    def __call__(self, inputs, **kwargs):
        """As `Pose2DInferencer`, but a webcam opens a window only if ``show`` is True.

        Without one, Ctrl-C ends its film as Esc in the window does.

        Raises:
            ValueError: A camera has another name than webcam:NUMBER, or cannot be
                opened.
        """
        webcam = isinstance(inputs, str) and is_webcam(inputs)
        if webcam:
            inputs = self._get_webcam_inputs(inputs)
        elif isinstance(inputs, str) and inputs.startswith('webcam'):
            inputs = osp.join('.', inputs)  # upstream would take it for a camera
        try:
            yield from super().__call__(inputs, **kwargs)
        except KeyboardInterrupt:
            if not webcam:
                raise
            self._finalize_video_processing(kwargs.get('pred_out_dir', ''))

    def preprocess(self, inputs, batch_size: int = 1, bboxes=None, bbox_thr=0.0):
        """Detect people and crop them, image by image.

        Args:
            inputs (Iterable[str | np.ndarray]): Paths, or images (H, W, 3) BGR.
            batch_size (int): Not used; see ``people_per_batch``.
            bboxes (list[np.ndarray], optional): Boxes to use instead of detected
                ones: for each image (N, 5), x1, y1, x2, y2 and score.
            bbox_thr (float): Boxes scored below are dropped. Defaults to 0.

        Yields:
            tuple: (path, (height, width), packed samples of the people), [image].

        Raises:
            ValueError: The only input is not an image. Among several, what is not an
                image is logged, added to ``skipped`` and left out.
        """
        for index, path, image in self.read(inputs):
            boxes = self.detect(image) if bboxes is None else bboxes[index]
            boxes = boxes[boxes[:, 4] >= bbox_thr]
            people = pack_people(
                self.pipeline,
                image,
                path,
                boxes[:, :4],
                boxes[:, 4],
                self.model.dataset_meta,
            )
            yield (path, image.shape[:2], people), [image]

    def read(self, inputs):
        """Yield (index, path, image (H, W, 3) BGR) of each input that is an image."""
        if isinstance(inputs, FrameReader):
            yield from self.read_video(inputs)
            return
        for index, source in enumerate(inputs):
            try:
                image = read_image(source)
            except BrokenImageError as error:
                if len(inputs) == 1:
                    raise
                self.skip(source, error)
                continue
            path = source if isinstance(source, str) else f'{index:06d}.jpg'
            yield index, path, image

    def read_video(self, reader: FrameReader):
        """Yield the same of a video's frames, and tell if it is shorter than it says.

        Raises:
            ValueError: No frame can be read.
        """
        count = 0
        for frame in reader:
            if frame.image is None:
                self.skip(frame.name, f'{frame.name}: the frame cannot be read')
                continue
            count += 1
            yield frame.index, f'{frame.index:06d}.jpg', frame.image
        if not count:
            raise ValueError(f'{reader.source}: is a video without frames')
        if reader.early_end:
            print_log(reader.early_end, 'current', logging.WARNING)

    def skip(self, name: str, reason) -> None:
        """Leave out an input, and say so."""
        self.skipped.append(name)
        print_log(f'skipped {reason}', 'current', logging.WARNING)

    def detect(self, image: np.ndarray) -> np.ndarray:
        """Boxes of people in an image, (N, 5): x1, y1, x2, y2 and score."""
        if self.detector is None:
            height, width = image.shape[:2]
            return np.array([[0, 0, width, height, 1]], np.float32)
        found = self.detector(image, return_datasamples=True)['predictions'][0]
        found = found.pred_instances
        people = found.labels.new_tensor(self.det_cat_ids)
        found = found[torch.isin(found.labels, people)]
        if self.box_filter:
            found = found[self.box_filter(found.bboxes, found.scores)]
        return torch.cat([found.bboxes, found.scores[:, None]], dim=1).cpu().numpy()

    @torch.no_grad()
    def forward(self, inputs: tuple) -> list[PoseDataSample]:
        """Estimate the poses of one image and choose among them.

        Args:
            inputs (tuple): (path, (height, width), packed samples of the people).

        Returns:
            list[PoseDataSample]: One, with the instances that stay.
        """
        path, size, people = inputs
        if not people:
            return [self.nobody(path, size)]
        merged = predict_people(self.model, people, self.people_per_batch)
        kept = choose_poses(
            merged.pred_instances,
            merged.gt_instances.bbox_scales.prod(axis=1),
            self.model.dataset_meta['sigmas'],
            **self.pose_nms_cfg,
        )
        del merged.gt_instances
        merged.pred_instances = merged.pred_instances[kept]
        return [merged]

    def nobody(self, path: str, size: tuple) -> PoseDataSample:
        """The result of an image (height, width) without people."""
        count = self.model.dataset_meta['num_keypoints']
        sample = PoseDataSample(metainfo=dict(img_path=path, ori_shape=size))
        sample.pred_instances = InstanceData(
            keypoints=np.zeros((0, count, 2), np.float32),
            keypoint_scores=np.zeros((0, count), np.float32),
            bboxes=np.zeros((0, 4), np.float32),
            bbox_scores=np.zeros(0, np.float32),
            pose_scores=np.zeros(0, np.float32),
        )
        return sample

    def visualize(self, inputs, preds, pose_thr: float = 0.3, **kwargs):
        """Draw the poses whose ``pose_scores`` reach a threshold.

        Args:
            inputs (list): Images or paths.
            preds (list[PoseDataSample]): Results of :meth:`forward`.
            pose_thr (float): Defaults to 0.3.
            **kwargs: As for `Pose2DInferencer`.

        Returns:
            list[np.ndarray]: Pictures, if asked for.
        """
        drawn = []
        for pred in preds:
            clear = pred.new()
            clear.pred_instances = pred.pred_instances[
                pred.pred_instances.pose_scores >= pose_thr
            ]
            drawn.append(clear)
        return super().visualize(inputs, drawn, **kwargs)

    def _get_webcam_inputs(self, inputs: str):
        frames = super()._get_webcam_inputs(inputs)
        if isinstance(frames, list):
            raise ValueError(f'{inputs}: the camera cannot be opened')
        return frames

    def _inputs_to_list(self, inputs):
        """The images given, a folder's images or a video's frames.

        Raises:
            FileNotFoundError: There is no such file or folder.
            ValueError: A folder without images, or a file that is neither an image
                nor a video that can be read.
        """
        if inspect.isgenerator(inputs):  # a webcam's frames
            return inputs
        if not isinstance(inputs, str) or '://' in inputs:
            return super()._inputs_to_list(inputs)
        if not osp.exists(inputs):
            raise FileNotFoundError(f'{inputs}: there is no such file or folder')
        self._video_input = False
        if osp.isdir(inputs):
            return list_images(inputs)
        if file_kind(inputs) not in ('image', 'video'):
            raise ValueError(f'{inputs}: is neither an image nor a video by its name')
        if file_kind(inputs) == 'image':
            return [inputs]
        reader = FrameReader(inputs)
        self._video_input = True
        name = f'{reader.name}.mp4'  # the only kind that is written
        self.video_info = dict(
            name=name, fps=reader.fps or 25, writer=None, predictions=[]
        )
        return reader

    def save_visualization(self, visualization, vis_out_dir, img_name=None):
        if img_name and not cv2.haveImageWriter(img_name):
            img_name += '.jpg'  # beside a file of the wrong ending, say
        super().save_visualization(visualization, vis_out_dir, img_name)


def find_model(model, scope: str):
    """What an inferencer takes for a model, of which the name is enough.

    Args:
        model (str | dict | None): The name of one of this package's configs, without
            folder and ending, or their path; or what the inferencers of MMPose and
            MMDetection take: a config, its path, or a name in their model zoo.
        scope (str): 'mmpose' or 'mmdet', whose model zoo it is.

    Returns:
        str | dict | None: The config's path; else ``model``.

    Raises:
        FileNotFoundError: Nothing has this name. The sentence tells similar names.
    """
    if not isinstance(model, str):
        return model
    try:
        return find_config(model)
    except FileNotFoundError:
        folder = BaseInferencer._get_repo_or_mim_dir(scope)
        for entry in BaseInferencer._get_models_from_metafile(folder):
            aliases = entry.get('Alias', [])
            aliases = [aliases] if isinstance(aliases, str) else aliases
            if model.lower() in map(str.lower, (entry['Name'], *aliases)):
                return model
        raise
