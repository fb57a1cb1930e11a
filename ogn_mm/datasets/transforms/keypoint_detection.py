"""Boxes and keypoints together through MMDetection's pipelines."""

import numpy as np
import torch
from mmdet.datasets.transforms import LoadAnnotations, PackDetInputs
from mmdet.registry import TRANSFORMS

from ogn_mm.structures.bbox import KeypointBoxes, inside_image


@TRANSFORMS.register_module()
class LoadKeypointAnnotations(LoadAnnotations):
    """MMDetection's `LoadAnnotations` whose boxes take their keypoints along.

    The transforms that follow are MMDetection's own, see
    :class:`~ogn_mm.structures.bbox.KeypointBoxes`; `PackKeypointInputs` takes boxes
    and keypoints apart again. Keypoints outside the image are not visible.

    Required Keys:

    - instances, flip_indices, which
      :class:`~ogn_mm.datasets.CocoKeypointDetectionDataset` provides
    - ori_shape

    Added Keys:

    - gt_bboxes (KeypointBoxes[torch.float32])
    - the others of `LoadAnnotations`

    Args:
        **kwargs: As for `LoadAnnotations`, but there is no ``box_type``.

    Raises:
        KeyError: The data set's instances have no keypoints.
    """

    def __init__(self, **kwargs):
        super().__init__(box_type='hbox', **kwargs)

    def _load_bboxes(self, results: dict) -> None:
        super()._load_bboxes(results)
        instances = results.get('instances', [])
        if any('keypoints' not in instance for instance in instances):
            raise KeyError(
                'LoadKeypointAnnotations needs a data set like '
                'CocoKeypointDetectionDataset, whose instances have `keypoints`'
            )
        # images that are no part of a data set have neither
        flip_indices = results.get('flip_indices', ())
        values = np.array([person['keypoints'] for person in instances], np.float32)
        keypoints = torch.from_numpy(values).reshape(
            len(instances), len(flip_indices), 3
        )
        points, flags = keypoints[..., :2], keypoints[..., 2]
        visible = (flags > 0) & inside_image(points, results['ori_shape'])
        results['gt_bboxes'] = KeypointBoxes(
            results['gt_bboxes'].tensor, points, visible.float(), flip_indices
        )


@TRANSFORMS.register_module()
class PackKeypointInputs(PackDetInputs):
    """MMDetection's `PackDetInputs`, with keypoints.

    Instances get, besides ``bboxes`` and ``labels``,

    - ``keypoints`` (Tensor): x, y in the input's pixels, whose centres are integers,
      float32, (N, K, 2).
    - ``keypoints_visible`` (Tensor): 1 for a keypoint that is labelled and still
      inside the image, else 0, float32, (N, K).

    Args:
        *args: As for `PackDetInputs`.
        **kwargs: As for `PackDetInputs`.

    Raises:
        ValueError: The boxes have lost their keypoints on the way.
    """

    mapping_table = PackDetInputs.mapping_table | dict(
        gt_keypoints='keypoints', gt_keypoints_visible='keypoints_visible'
    )

    def transform(self, results: dict) -> dict:
        if 'gt_bboxes' in results:
            boxes = results['gt_bboxes']
            if not isinstance(boxes, KeypointBoxes):
                raise ValueError(
                    'PackKeypointInputs: the boxes have no keypoints; load them by '
                    'LoadKeypointAnnotations, and use no transform that makes boxes '
                    'anew, such as RandomCrop with recompute_bbox'
                )
            results = results | dict(
                gt_bboxes=boxes.convert_to('hbox'),
                gt_keypoints=boxes.keypoints,
                gt_keypoints_visible=boxes.visible,
            )
        return super().transform(results)
