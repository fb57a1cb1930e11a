"""The two-stage network with its decoding as one graph, for export.

The graph takes crops as `PackPoseInputs` gives them and returns what the config's test
does: channels are reordered and normalised, then network, flip test if the config has
one, and decoding, all by the functions of the test itself.
"""

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.model import ImgDataPreprocessor
from mmengine.structures import InstanceData
from mmpose.models import TopdownPoseEstimator
from mmpose.registry import MODELS, TRANSFORMS
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from ogn_mm.codecs.utils import smooth_heatmaps
from ogn_mm.engine.config_agreement import type_name
from ogn_mm.engine.skeletons import choose_skeleton
from ogn_mm.models import OffsetHead
from ogn_mm.version import __version__

# A heatmap whose two best pixels differ by less than this share of its range is a tie:
# which of them wins is a matter of rounding, in PyTorch as well.
TIE = 1e-3

SCORES = (
    'float32 (batch, keypoints) in [0, 1]: the value of the heatmap, before smoothing, '
    'at the keypoint; 0 where the network sees nothing of it'
)
CROP = (
    'center = (x1 + x2, y1 + y2) / 2 of the box; scale = padding * (x2 - x1, y2 - y1), '
    'of which one is enlarged so that width / height is that of input_size; '
    'crop_xy = (image_xy - center) / scale * input_size + input_size / 2, '
    'pixel centres are integers, bilinear, 0 outside the image'
)
KEYPOINTS = (
    'float32 (batch, keypoints, 2): x, y in pixels of the crop; '
    'image_xy = (crop_xy - input_size / 2) / input_size * scale + center'
)


class KeypointGraph(nn.Module):
    """From crops to keypoints, in tensors alone.

    Args:
        model (TopdownPoseEstimator): With an :class:`OffsetHead` and its codec, as
            :func:`build_exportable` gives it.
    """

    def __init__(self, model: TopdownPoseEstimator) -> None:
        super().__init__()
        self.model = model
        self.flip_test = model.test_cfg.get('flip_test', False)
        self.flip_indices = list(model.dataset_meta['flip_indices'])
        self.eval()

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Estimate the poses of a batch.

        Args:
            crops (Tensor): As images are loaded (BGR), uint8, (B, 3, H, W).

        Returns:
            tuple[Tensor, Tensor]: float32:

            - keypoints (B, K, 2) in pixels of the crop.
            - scores (B, K) in [0, 1].
        """
        model, head = self.model, self.model.head
        # PoseDataPreprocessor adds to this a loop over data samples
        data = ImgDataPreprocessor.forward(model.data_preprocessor, dict(inputs=crops))
        inputs = data['inputs']
        maps = head(model.extract_feat(inputs))
        if self.flip_test:
            flipped = head(model.extract_feat(inputs.flip(-1)))
            head.average_flipped(maps, flipped, self.flip_indices)
        keypoints, scores = head.decoder.batch_decode(maps)
        return keypoints[:, 0], scores[:, 0]


def build_exportable(
    cfg: Config, content: dict | None = None, checkpoint: str = ''
) -> TopdownPoseEstimator:
    """Build the network of a config, with the names of its keypoints.

    Args:
        cfg (Config): Of a two-stage offset-guided network.
        content (dict, optional): A checkpoint, as loaded. It may say which keypoints
            are found; the weights are not loaded.
        checkpoint (str): Its name, for messages.

    Returns:
        TopdownPoseEstimator: In test mode, with ``dataset_meta``.

    Raises:
        ValueError: It is another network, or the names don't fit its keypoints.
    """
    model = MODELS.build(cfg.model) if cfg.get('default_scope') == 'mmpose' else None
    head = getattr(model, 'head', None)
    if not isinstance(model, TopdownPoseEstimator) or not isinstance(head, OffsetHead):
        raise ValueError(
            'only TopdownPoseEstimator with OffsetHead is exported: MSRA, DARK and UDP '
            'decode person by person in NumPy, and networks that find boxes are not '
            'covered'
        )
    if head.decoder is None:
        raise ValueError('`model.head` has no `decoder`: there is nothing to export')
    if model.test_cfg.get('output_keypoint_indices') is not None:
        raise ValueError('`model.test_cfg.output_keypoint_indices` is not exported')
    model.dataset_meta = choose_skeleton(content, cfg, model, checkpoint)
    return model.eval()


def describe(cfg: Config, model: TopdownPoseEstimator) -> dict:
    """All that one needs to use the graph without this package.

    Raises:
        ValueError: People are cropped otherwise than :data:`CROP` says.
    """
    pipeline = cfg.test_dataloader.dataset.pipeline
    steps = {type_name(step): step for step in pipeline}
    box, affine = steps.get('GetBBoxCenterScale'), steps.get('TopdownAffine')
    if box is None or affine is None or affine.get('use_udp'):
        raise ValueError(
            '`test_dataloader.dataset.pipeline` must crop people by GetBBoxCenterScale '
            'and TopdownAffine(use_udp=False)'
        )
    meta, preprocessor = model.dataset_meta, cfg.model.data_preprocessor
    names = meta['keypoint_id2name']
    return dict(
        config=Path(cfg.filename).name,
        ogn_mm=__version__,
        crops='uint8 (batch, 3, height, width); mean and std are applied by the graph',
        channel_order='BGR',
        mean=preprocessor.get('mean'),
        std=preprocessor.get('std'),
        input_size=model.head.decoder.input_size,
        crop=CROP,
        padding=TRANSFORMS.build(box).padding,
        flip_test=model.test_cfg.get('flip_test', False),
        keypoints=KEYPOINTS,
        scores=SCORES,
        keypoint_names=[names[k] for k in range(len(names))],
        skeleton=[list(link) for link in meta['skeleton_links']],
        sigmas=np.asarray(meta['sigmas']).astype(float).round(4).tolist(),
    )


def example_crops(model: TopdownPoseEstimator, people: int, seed: int = 0) -> Tensor:
    """Random crops with blobs of a few sizes, uint8, (people, 3, H, W)."""
    generator = torch.Generator().manual_seed(seed)
    width, height = model.head.decoder.input_size
    crops = torch.zeros(people, 3, height, width)
    for cell in (4, 16, 64):
        size = -(-height // cell), -(-width // cell)
        noise = torch.randn(people, 3, *size, generator=generator)
        crops += nn.functional.interpolate(noise, (height, width), mode='bilinear')
    return (128 + 50 * crops).clamp(0, 255).byte()


def pack_crops(model: TopdownPoseEstimator, crops: Tensor) -> dict:
    """A batch for ``model.test_step`` whose image is the crop itself.

    Args:
        model (TopdownPoseEstimator): With ``dataset_meta``.
        crops (Tensor): uint8, (B, 3, H, W).

    Returns:
        dict: ``inputs`` and ``data_samples``.
    """
    size = np.array(model.head.decoder.input_size)
    metainfo = dict(
        flip_indices=model.dataset_meta['flip_indices'],
        input_size=size,
        input_scale=size,
        input_center=size / 2,
    )
    samples = [PoseDataSample(metainfo=metainfo) for _ in crops]
    for sample in samples:
        sample.gt_instances = InstanceData(
            bboxes=np.zeros((1, 4)), bbox_scores=np.ones(1)
        )
    return dict(inputs=list(crops), data_samples=samples)


class Difference(NamedTuple):
    """How an exported graph differs from ``model.test_step``.

    Attributes:
        pixels (float): The largest distance along x or y.
        score (float): The largest difference of scores.
        compared (int): Number of keypoints.
        ties (int): Number of keypoints that were left out as ties.
    """

    pixels: float
    score: float
    compared: int
    ties: int


@torch.no_grad()
def compare(
    model: TopdownPoseEstimator, run: Callable, batches: Sequence[Tensor]
) -> Difference:
    """Compare an exported graph with the network's own test.

    Args:
        model (TopdownPoseEstimator): In test mode, with ``dataset_meta``.
        run (Callable): From crops to keypoints and scores, see `export_formats`.
        batches (Sequence[Tensor]): Crops, uint8, (B, 3, H, W) each.

    Returns:
        Difference: 0 and nothing compared if all are ties.
    """
    decoder = model.head.decoder
    model = copy.copy(model)  # leaves the test_cfg of the caller's as it is
    model.test_cfg = {**model.test_cfg, 'output_heatmaps': True}
    away, ties = [], 0
    for crops in batches:
        found = np.dstack(run(crops))
        samples = model.test_step(pack_crops(model, crops))
        poses = [sample.pred_instances for sample in samples]
        expected = [np.dstack((pose.keypoints, pose.keypoint_scores)) for pose in poses]
        heatmaps = torch.stack([sample.pred_fields.heatmaps for sample in samples])
        smoothed = smooth_heatmaps(heatmaps, decoder.kernel_size, decoder.sigma)
        smoothed = smoothed.flatten(2)
        first, second = smoothed.topk(2).values.unbind(-1)
        clear = first - second > TIE * (first - smoothed.amin(-1))
        away.append(np.abs(found - np.concatenate(expected))[clear.numpy()])
        ties += int((~clear).sum())
    away = np.concatenate(away)
    return Difference(
        away[:, :2].max(initial=0), away[:, 2].max(initial=0), len(away), ties
    )
