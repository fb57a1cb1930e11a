"""What an offset-guided network predicts for one person, as a picture."""

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from mmpose.structures import PoseDataSample
from torch import nn

from ogn_mm.visualization import draw_offset_field


def find_true_poses(sample: PoseDataSample) -> np.ndarray:
    """The annotated pose of a top-down sample.

    Args:
        sample (PoseDataSample): Of one person.

    Returns:
        np.ndarray: x, y in pixels of the image and visibility, (1, K, 3); nothing is
        visible if the sample is a detector's box.
    """
    true = sample.gt_instances
    visible = true.keypoints_visible.reshape(*true.keypoints.shape[:2], -1)[..., :1]
    if not true.keypoints.any():  # a detector's box comes without keypoints
        visible = np.zeros_like(visible)
    return np.concatenate([true.keypoints, visible], axis=-1)


@torch.no_grad()
def draw_predicted_offsets(
    model: nn.Module,
    inputs: torch.Tensor,
    sample: PoseDataSample,
    keypoints: Sequence[int] | None = None,
) -> Figure:
    """Draw the heatmaps of one person and the offsets of some keypoints.

    What the network predicts, without flip test, stands above what the codec makes of
    the ground truth, if there is any.

    Args:
        model (nn.Module): A top-down pose estimator with an `OffsetHead`.
        inputs (Tensor): Its input before preprocessing, BGR, (3, h, w).
        sample (PoseDataSample): The input's data sample.
        keypoints (Sequence[int], optional): Whose offsets are drawn. Defaults to
            three labelled ones, if there are so many.

    Returns:
        Figure: to be saved.
    """
    batch = dict(inputs=[inputs], data_samples=[sample])
    batch = model.data_preprocessor(batch, training=False)
    maps = model.head(model.extract_feat(batch['inputs']))
    (decoded,) = model.head.decode(maps)
    codec, num_keypoints = model.head.decoder, model.head.out_channels
    maps = maps[0].float().cpu().numpy()

    truth = find_true_poses(sample)
    corner = sample.input_center - 0.5 * np.array(sample.input_scale)
    truth[..., :2] = (truth[..., :2] - corner) * sample.input_size / sample.input_scale
    labelled = np.flatnonzero(truth[0, :, 2])
    targets = None
    if len(labelled):
        encoded = codec.encode(truth[..., :2], truth[..., 2])
        targets = encoded['heatmaps'], encoded['offsets']
    if keypoints is None:
        shown = labelled if len(labelled) else np.arange(num_keypoints)
        spread = np.linspace(0, len(shown) - 1, min(3, len(shown))).astype(int)
        keypoints = shown[spread]
    return draw_offset_field(
        np.ascontiguousarray(inputs.numpy().transpose(1, 2, 0)[..., ::-1]),
        maps[:num_keypoints],
        maps[num_keypoints:],
        codec.radius,
        decoded.keypoints[0],
        truth[0],
        keypoints,
        [model.dataset_meta['keypoint_id2name'][k] for k in range(num_keypoints)],
        targets,
    )
