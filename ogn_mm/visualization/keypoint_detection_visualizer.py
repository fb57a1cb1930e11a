"""Boxes, skeletons and scores in one picture."""

import numpy as np
from mmdet.registry import VISUALIZERS
from mmdet.visualization import DetLocalVisualizer
from mmengine.structures import InstanceData

from .visualizer import ArrayRadiusVisualizer


@VISUALIZERS.register_module()
class KeypointDetectionVisualizer(DetLocalVisualizer):
    """MMDetection's visualizer, with MMPose's skeletons on the people.

    Serves `DetVisualizationHook` and `DetInferencer`. Colours and limbs come from
    ``dataset_meta``, as MMPose parses it.

    Args:
        name (str): As for `DetLocalVisualizer`. Defaults to ``'visualizer'``.
        *args: As for `DetLocalVisualizer`.
        keypoint_thr (float): A predicted keypoint that scores less is not drawn, nor
            are its limbs. Defaults to 0.3.
        radius (float): Of the keypoints, in pixels. Defaults to 3.
        limb_width (float): Of the skeleton's lines, in pixels. Defaults to 2.
        **kwargs: As for `DetLocalVisualizer`.
    """

    def __init__(
        self,
        name: str = 'visualizer',
        *args,
        keypoint_thr: float = 0.3,
        radius: float = 3,
        limb_width: float = 2,
        **kwargs,
    ):
        super().__init__(name, *args, **kwargs)
        self.keypoint_thr = keypoint_thr
        self.poses = ArrayRadiusVisualizer(radius=radius, line_width=limb_width)

    def _draw_instances(
        self, image: np.ndarray, instances: InstanceData, classes, palette
    ) -> np.ndarray:
        """Draw boxes as upstream does, then the skeletons; RGB, (H, W, 3)."""
        drawn = super()._draw_instances(image, instances, classes, palette)
        if 'keypoints' not in instances:
            return drawn
        # annotations have a visibility, predictions a score
        scored = 'keypoint_scores' in instances
        scores = instances['keypoint_scores' if scored else 'keypoints_visible']
        people = InstanceData(
            keypoints=np.asarray(instances.keypoints),
            keypoints_visible=np.asarray(scores),
        )
        self.poses.set_dataset_meta(self.dataset_meta)
        return self.poses._draw_instances_kpts(drawn, people, self.keypoint_thr)
