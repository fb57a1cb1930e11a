"""From images and videos to boxes and keypoints by one network."""

import numpy as np
import torch
from mmdet.apis import DetInferencer
from mmengine.structures import InstanceData
from mmpose.registry import INFERENCERS, VISUALIZERS
from mmpose.structures import PoseDataSample

from ogn_mm.engine.skeletons import choose_skeleton, find_keypoint_head

from .ogn_inferencer import OGNInferencer, find_model


@INFERENCERS.register_module()
class KeypointDetectionInferencer(OGNInferencer):
    """What :class:`OGNInferencer` does, by Mask R-CNN with keypoints alone.

    Inputs, pictures and results are the same, so that a program may take either. Boxes
    are thinned out by the network's own NMS, and as in Mask R-CNN a pose scores what
    its box scores. MMDetection's `DetInferencer` works, too; it leaves keypoints out
    of its JSON files.

    Args:
        model (str): Config of MMDetection with `KeypointRoIHead`, see
            :func:`find_model`.
        weights (str): Checkpoint.
        device (str, optional): For example ``'cuda:0'``. Defaults to a GPU if there
            is one.
        show_progress (bool): Whether to show a progress bar. Defaults to False.
    """

    preprocess_kwargs = set()

    def __init__(
        self,
        model: str,
        weights: str,
        device: str | None = None,
        show_progress: bool = False,
    ):
        self.require_model(model)
        # the parents' are for networks of MMPose
        self.detector = DetInferencer(
            find_model(model, 'mmdet'), weights, device, show_progress=False
        )
        self.cfg, self.model = self.detector.cfg, self.detector.model
        if find_keypoint_head(self.model)[1] is None:
            raise ValueError(f'{model}: is of a network without keypoints')
        meta = dict(dataset_meta=self.model.dataset_meta)
        self.model.dataset_meta = choose_skeleton(
            dict(meta=meta), self.cfg, self.model, weights
        )
        self.visualizer = VISUALIZERS.build(
            dict(type='mmpose.ArrayRadiusVisualizer', name='one_stage')
        )
        self.visualizer.set_dataset_meta(self.model.dataset_meta)
        self.show_progress = show_progress
        self.skipped = []
        self._video_input = False

    def update_model_visualizer_settings(self, **kwargs) -> None:
        """There is nothing to set: heatmaps of ROIs are not drawn."""

    def preprocess(self, inputs, batch_size: int = 1):
        """Read images one by one; see :meth:`OGNInferencer.preprocess`.

        Yields:
            tuple: (path, image (H, W, 3) BGR), [image].
        """
        for _, path, image in self.read(inputs):
            yield (path, image), [image]

    @torch.no_grad()
    def forward(self, inputs: tuple) -> list[PoseDataSample]:
        """Find the people of one image.

        Args:
            inputs (tuple): (path, image).

        Returns:
            list[PoseDataSample]: One, whose instances have the fields that
            :class:`OGNInferencer` gives, best first.
        """
        path, image = inputs
        found = self.detector(image, return_datasamples=True)['predictions'][0]
        found = found.pred_instances
        found = found[found.labels == 0].cpu().numpy()
        found = found[np.argsort(-found.scores, kind='stable')]
        metainfo = dict(img_path=path, ori_shape=image.shape[:2])
        sample = PoseDataSample(metainfo=metainfo)
        sample.pred_instances = InstanceData(
            keypoints=found.keypoints,
            keypoint_scores=found.keypoint_scores,
            bboxes=found.bboxes,
            bbox_scores=found.scores,
            pose_scores=found.scores,
        )
        return [sample]
