"""Draw what a model predicts on its test data, beside the ground truth.

    python tools/visualize_predictions.py CONFIG CHECKPOINT --out work_dirs/pictures

writes poses.png: people spread evenly over the test data, the predicted pose thick and
in colours, the annotated one thin and white. For an offset-guided network also
offsets_1.png, ...: the heatmaps of one person and, enlarged, the disks of some
keypoints with an arrow from each pixel to where its offset points; a dot marks the
decoded keypoint, a white cross the true one.
"""

import argparse
from pathlib import Path

import mmcv
import numpy as np
import torch
from matplotlib.figure import Figure
from mmengine.config import Config, DictAction
from mmengine.dataset import pseudo_collate
from mmengine.device import get_device
from mmpose.apis import init_model
from mmpose.registry import DATASETS
from mmpose.structures import PoseDataSample

from ogn_mm.engine.config_check import check_overrides
from ogn_mm.engine.launch import run_tool
from ogn_mm.models import OffsetHead
from ogn_mm.visualization import draw_offset_field, draw_pose_grid

PADDING = 1.25  # of the pictures around the people's boxes


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--out', type=Path, required=True, help='folder')
    parser.add_argument('--num', type=int, default=12, help='number of people')
    parser.add_argument(
        '--num-offsets', type=int, default=2, help='people whose offsets are drawn'
    )
    parser.add_argument('--device', default=get_device())
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE'
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the whole traceback of an error'
    )
    args = parser.parse_args(argv)
    if args.num < 1:
        parser.error('--num must be at least 1')
    return args


def find_poses(sample: PoseDataSample) -> tuple[np.ndarray, np.ndarray]:
    """The predicted and the true pose: x, y in the image and a score, (1, K, 3)."""
    found, true = sample.pred_instances, sample.gt_instances
    visible = true.keypoints_visible.reshape(*true.keypoints.shape[:2], -1)[..., :1]
    if not true.keypoints.any():  # a detector's box comes without keypoints
        visible = np.zeros_like(visible)
    return (
        np.concatenate([found.keypoints, found.keypoint_scores[..., None]], axis=-1),
        np.concatenate([true.keypoints, visible], axis=-1),
    )


def cut_out(sample: PoseDataSample) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The picture of a person, RGB, with the predicted and the true pose in it."""
    image = mmcv.imread(sample.img_path, channel_order='rgb')
    box = sample.gt_instances.bboxes[0]
    center, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2 * PADDING
    size = np.array(image.shape[1::-1])
    left, top = np.clip(np.floor(center - half), 0, size - 1).astype(int)
    right, bottom = np.clip(np.ceil(center + half), (left + 1, top + 1), size).astype(
        int
    )
    poses = [pose - (left, top, 0) for pose in find_poses(sample)]
    return image[top:bottom, left:right], *poses


@torch.no_grad()
def draw_offsets(model, inputs: torch.Tensor, sample: PoseDataSample) -> Figure:
    """The heatmaps of one person, with the offsets of three labelled keypoints.

    Args:
        model: A top-down pose estimator with an :class:`OffsetHead`.
        inputs (Tensor): Its input before preprocessing, BGR, (3, h, w).
        sample (PoseDataSample): The input's data sample.
    """
    batch = dict(inputs=[inputs], data_samples=[sample])
    batch = model.data_preprocessor(batch, training=False)
    maps = model.head(model.extract_feat(batch['inputs']))
    (decoded,) = model.head.decode(maps)
    num_keypoints = model.head.out_channels
    maps = maps[0].float().cpu().numpy()

    truth = find_poses(sample)[1][0]
    corner = sample.input_center - 0.5 * np.array(sample.input_scale)
    truth[:, :2] = (truth[:, :2] - corner) * sample.input_size / sample.input_scale
    labelled = np.flatnonzero(truth[:, 2])
    spread = np.linspace(0, len(labelled) - 1, 3).astype(int)
    return draw_offset_field(
        np.ascontiguousarray(inputs.numpy().transpose(1, 2, 0)[..., ::-1]),
        maps[:num_keypoints],
        maps[num_keypoints:],
        model.head.decoder.radius,
        decoded.keypoints[0],
        truth,
        labelled[spread] if len(labelled) else range(3),
        [model.dataset_meta['keypoint_id2name'][k] for k in range(num_keypoints)],
    )


def visualize(args: argparse.Namespace):
    cfg = Config.fromfile(args.config)
    check_overrides(cfg, args.cfg_options)
    cfg.merge_from_dict(args.cfg_options)
    model = init_model(cfg, args.checkpoint, device=args.device)
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    chosen = np.linspace(0, len(dataset) - 1, min(args.num, len(dataset)))
    data = [dataset[int(i)] for i in chosen]
    samples = [model.test_step(pseudo_collate([item]))[0] for item in data]

    args.out.mkdir(parents=True, exist_ok=True)
    meta = model.dataset_meta
    figure = draw_pose_grid(
        *zip(*map(cut_out, samples), strict=True),
        meta['skeleton_links'],
        np.array(meta['skeleton_link_colors']) / 255,
        [f'{sample.id}: {Path(sample.img_path).name}' for sample in samples],
    )
    figure.savefig(args.out / 'poses.png', dpi=100)
    print(f'{args.out}/poses.png')
    if not isinstance(model.head, OffsetHead):
        return
    first = list(zip(data, samples, strict=True))[: args.num_offsets]
    for i, (item, sample) in enumerate(first, start=1):
        figure = draw_offsets(model, item['inputs'], sample)
        figure.savefig(args.out / f'offsets_{i}.png', dpi=120)
        print(f'{args.out}/offsets_{i}.png')


def main(argv=None):
    run_tool(visualize, parse_args(argv))


if __name__ == '__main__':
    main()
