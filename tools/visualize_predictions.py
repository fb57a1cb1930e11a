"""Draw what a model predicts on its test data, beside the ground truth.

    python tools/visualize_predictions.py CONFIG CHECKPOINT --out work_dirs/pictures

writes poses.png: people spread evenly over the test data, the predicted pose thick and
in colours, the annotated one thin and white. For an offset-guided network also
offsets_1.png, ...: the heatmaps of one person and, enlarged, the disks of some
keypoints with an arrow from each pixel to where its offset points; a dot marks the
decoded keypoint, a white cross the true one. Below are the targets that training would
draw for the same person.
"""

import argparse
from pathlib import Path

import numpy as np
from mmengine.config import DictAction
from mmengine.dataset import pseudo_collate
from mmengine.device import get_device
from mmpose.apis import init_model
from mmpose.registry import DATASETS
from mmpose.structures import PoseDataSample

from ogn_mm.apis import draw_predicted_offsets, find_true_poses
from ogn_mm.datasets.images import read_image
from ogn_mm.engine.checkpoint import load_weights, require_checkpoint
from ogn_mm.engine.config_check import read_config
from ogn_mm.engine.launch import run_tool
from ogn_mm.models import OffsetHead
from ogn_mm.visualization import cut_around, draw_pose_grid


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
    parser.add_argument(
        '--keypoints',
        nargs='+',
        metavar='NAME',
        help='whose offsets are drawn, or all; by default three labelled ones',
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
    found = sample.pred_instances
    return (
        np.concatenate([found.keypoints, found.keypoint_scores[..., None]], axis=-1),
        find_true_poses(sample),
    )


def cut_out(sample: PoseDataSample) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The picture of a person, RGB, with the predicted and the true pose in it."""
    image = read_image(sample.img_path)[..., ::-1]
    crop, corner = cut_around(image, sample.gt_instances.bboxes[0])
    poses = [pose - (*corner, 0) for pose in find_poses(sample)]
    return crop, *poses


def choose_keypoints(names: list[str] | None, known: dict[str, int]):
    """Places of the keypoints with these names; None for the default.

    Raises:
        ValueError: A name is unknown.
    """
    if names is None:
        return None
    if names == ['all']:
        return range(len(known))
    for name in names:
        if name not in known:
            raise ValueError(
                f'--keypoints: there is no `{name}` among {", ".join(known)}'
            )
    return [known[name] for name in names]


def visualize(args: argparse.Namespace):
    cfg = read_config(args.config, args.cfg_options)
    require_checkpoint(args.checkpoint)
    model = init_model(cfg, device=args.device)
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    model.dataset_meta = dataset.metainfo  # which the true poses are of
    load_weights(model, args.checkpoint)  # init_model only warns of what is missing
    keypoints = choose_keypoints(args.keypoints, model.dataset_meta['keypoint_name2id'])
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
        figure = draw_predicted_offsets(model, item['inputs'], sample, keypoints)
        figure.savefig(args.out / f'offsets_{i}.png', dpi=120)
        print(f'{args.out}/offsets_{i}.png')


def main(argv=None):
    run_tool(visualize, parse_args(argv))


if __name__ == '__main__':
    main()
