r"""Measure what ROIs lose: the AP of ground truth that was encoded and decoded in them.

Every person of a COCO keypoint annotation file is taken in the ROI of the annotated
box. The maps that a perfect network would predict there are decoded by the keypoint
heads of Mask R-CNN, mapped back to the image and scored. No image is read.

    python tools/analysis_tools/roi_oracle.py \
        data/coco_val_poses/person_keypoints_part1.json

A keypoint out of the head's reach has an empty map and is lost. The second AP is that
over the keypoints inside the ROI.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
import torch
from codec_oracle import CHUNK, average_precision, leave_out, load_dataset
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from ogn_mm.codecs.utils import batch_disk_targets, one_hot_targets
from ogn_mm.models import OffsetKeypointHead, OneHotKeypointHead
from ogn_mm.structures.bbox import extend_to_ratio, image_to_roi_map

HEADS = (OneHotKeypointHead, OffsetKeypointHead)
# Features of ROIs as they are and of ratio-consistent ones, (h, w).
PLAIN, CONSISTENT = (14, 14), (22, 16)
# Logit of the one-hot map's pixel.
CERTAIN = 50.0


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('annotations', type=Path, help='COCO keypoint annotation file')
    parser.add_argument(
        '--paddings', type=float, nargs='+', default=[1.0, 1.25], help='of the boxes'
    )
    parser.add_argument(
        '--metainfo',
        default='configs/_base_/datasets/coco.py',
        help='config with the dataset_info of the skeleton; also one of MMPose',
    )
    args = parser.parse_args(argv)
    for padding in args.paddings:
        if not padding > 0:
            parser.error(f'--paddings: {padding} is not positive')
    return args


def make_rois(boxes, padding, ratio):
    """Pad boxes, (P, 4), and extend them to the ratio, if there is one."""
    if ratio is not None:
        return extend_to_ratio(boxes, ratio, padding)
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]) * (padding / 2)
    return torch.cat([centre - half, centre + half], dim=1)


def perfect_maps(head, rois, keypoints, visible):
    """What a perfect network would hand to the head's ``predict``."""
    points = image_to_roi_map(keypoints, rois, head.map_size)
    if isinstance(head, OffsetKeypointHead):
        targets = batch_disk_targets(points, visible, head.map_size, head.codec.radius)
        return torch.cat(targets, dim=1)
    width, height = head.map_size
    index, inside = one_hot_targets(points, head.map_size)
    maps = torch.zeros(*index.shape, width * height)
    values = CERTAIN * (inside & visible)[..., None].float()
    maps.scatter_(2, index[..., None], values)
    return maps.unflatten(2, (height, width))


def round_trip(head, rois, keypoints, visible):
    """Encode, decode and map back to the image, (P, K, 2)."""
    decoded = [
        head.predict(perfect_maps(head, *chunk), chunk[0])[0]
        for chunk in zip(
            *(data.split(CHUNK) for data in (rois, keypoints, visible)), strict=True
        )
    ]
    return torch.cat(decoded)


def measure(dataset, sigmas, paddings):
    """Measure both heads in ROIs of both kinds.

    Args:
        dataset (dict): COCO dataset as ``codec_oracle.load_dataset`` returns.
        sigmas (np.ndarray): The skeleton's, (K,).
        paddings (list[float]): Of the boxes.

    Yields:
        list: Head, size of its maps (H x W), padding, share of the visible keypoints
        outside the ROI, AP, AP without these, and the mean and largest error, in image
        pixels, of those inside.
    """
    people = dataset['annotations']
    poses = torch.tensor(
        [person['keypoints'] for person in people], dtype=torch.float32
    ).view(len(people), -1, 3)
    keypoints, visible = poses[..., :2], poses[..., 2] > 0
    boxes = torch.tensor([person['bbox'] for person in people], dtype=torch.float32)
    boxes[:, 2:] += boxes[:, :2]
    for padding in paddings:
        for size, ratio in ((PLAIN, None), (CONSISTENT, CONSISTENT[1] / CONSISTENT[0])):
            rois = make_rois(boxes, padding, ratio)
            # pixel x has its centre at x + 0.5
            centres = keypoints + 0.5
            inside = (centres >= rois[:, None, :2]) & (centres <= rois[:, None, 2:])
            inside = inside.all(dim=-1)
            within = leave_out(dataset, ~inside.numpy())
            for head_type in HEADS:
                head = head_type(len(sigmas), roi_feat_size=size, num_convs=0)
                found = round_trip(head, rois, keypoints, visible)
                error = (found - keypoints).norm(dim=-1)[inside & visible]
                width, height = head.map_size
                yield [
                    head_type.__name__,
                    f'{height}x{width}',
                    padding,
                    100 * (visible & ~inside).sum().item() / visible.sum().item(),
                    average_precision(dataset, found.numpy(), sigmas),
                    average_precision(within, found.numpy(), sigmas),
                    error.mean().item(),
                    error.max().item(),
                ]


def print_table(rows):
    print('| head | maps | padding | outside, % | AP | AP inside | mean error | max |')
    print('|---|---|---|---|---|---|---|---|')
    for name, size, padding, outside, ap, ap_inside, mean, largest in rows:
        print(
            f'| {name} | {size} | {padding} | {outside:.1f} | {ap:.2f} | '
            f'{ap_inside:.2f} | {mean:.4f} | {largest:.4f} |'
        )


def main(argv=None):
    args = parse_args(argv)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', UserWarning)  # it took the file in MMPose
            metainfo = parse_pose_metainfo(dict(from_file=args.metainfo))
        dataset, skipped = load_dataset(args.annotations, metainfo)
    except (OSError, ValueError) as error:
        raise SystemExit(f'roi_oracle: {error}') from error
    print(f'{len(dataset["annotations"])} people, {skipped} without box or keypoints')
    with torch.no_grad():
        print_table(measure(dataset, np.asarray(metainfo['sigmas']), args.paddings))


if __name__ == '__main__':
    main()
