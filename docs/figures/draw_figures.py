"""Draw the figures of docs/how_it_works.md on a generated image.

python docs/figures/draw_figures.py
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from mmcv.ops import nms
from mmdet.structures.bbox import bbox_overlaps
from torchvision.ops import roi_align

from ogn_mm.codecs import OffsetHeatmap
from ogn_mm.datasets.generated_people.scene import generate_image
from ogn_mm.structures.bbox import extend_to_ratio, greedy_box_generation
from ogn_mm.visualization import draw_offset_field

FOLDER = Path(__file__).parent
INPUT_SIZE = (192, 256)  # width and height in pixels
ZOOM = {9: 'left wrist', 15: 'left ankle'}


def sample_scene(*arguments) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An RGB image, its people's boxes x1, y1, x2, y2 and keypoints (P, 17, 3)."""
    image, people, _ = generate_image(*arguments)
    boxes = np.array([person['bbox'] for person in people], float)
    boxes[:, 2:] += boxes[:, :2]
    keypoints = np.array([person['keypoints'] for person in people], float)
    return image[..., ::-1].copy(), boxes, keypoints.reshape(len(people), -1, 3)


def sample_detections(people: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes as a detector without NMS gives them, (N, 4), and their scores, (N,).

    A score follows the box's IoU with its person, but not strictly.
    """
    rng = np.random.default_rng(3)
    sides = np.tile(people[:, 2:] - people[:, :2], 2)
    boxes = people[:, None] + rng.normal(0, 0.07, (len(people), 25, 4)) * sides[:, None]
    boxes = torch.from_numpy(boxes).reshape(-1, 4)
    iou = bbox_overlaps(boxes, torch.from_numpy(people)).amax(dim=1)
    noise = torch.from_numpy(rng.normal(0, 0.7, len(boxes)))
    return boxes, (9 * (iou - 0.62) + noise).sigmoid()


def draw_boxes(axes: Axes, image: np.ndarray, boxes: torch.Tensor, people, title: str):
    """An image with boxes; of each person the best one is thick."""
    axes.imshow(image)
    iou = bbox_overlaps(boxes, torch.from_numpy(people))
    best = iou.argmax(dim=0).tolist()
    for index, (x1, y1, x2, y2) in enumerate(boxes.tolist()):
        style = dict(ec='cyan', lw=2.5) if index in best else dict(ec='orange', lw=0.8)
        axes.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, **style))
    best_iou = ', '.join(f'{value:.2f}' for value in iou.amax(dim=0))
    axes.set_title(
        f'{title}: {len(boxes)} boxes\nbest IoU {best_iou}', fontsize='small'
    )
    axes.set_axis_off()


def draw_gbg(image: np.ndarray, people: np.ndarray) -> Figure:
    """All boxes of a detector beside what NMS and GBG keep of them."""
    boxes, scores = sample_detections(people)
    kept = nms(boxes.float(), scores.float(), 0.5)[1]
    generated = greedy_box_generation(boxes, scores)
    figure = Figure(figsize=(10, 3.2), layout='constrained')
    for axes, chosen, title in zip(
        figure.subplots(1, 3),
        (boxes, boxes[kept], boxes[generated]),
        ('no filter', 'NMS at 0.5', 'GBG'),
        strict=True,
    ):
        draw_boxes(axes, image, chosen, people, title)
    return figure


def draw_rois(image: np.ndarray, box: np.ndarray) -> Figure:
    """A box and what ROIAlign makes of it, as it is and extended to the ratio."""
    extended = extend_to_ratio(box[None], 256 / 352)[0]
    pixels = torch.from_numpy(image).permute(2, 0, 1).float()[None]
    figure = Figure(figsize=(9, 3.2), layout='constrained')
    whole, square, fixed = figure.subplots(1, 3)
    whole.imshow(image)
    for (x1, y1, x2, y2), color in ((box, 'orange'), (extended, 'cyan')):
        frame = Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, ec=color, lw=2)
        whole.add_patch(frame)
    whole.set_title('box, and extended to 352 : 256', fontsize='small')
    for axes, roi, size, title in (
        (square, box, (256, 256), 'ROIAlign to a square: distorted'),
        (fixed, extended, (352, 256), 'ratio-consistent: as it is'),
    ):
        rois = torch.tensor([[0, *roi]], dtype=torch.float32)
        crop = roi_align(pixels, rois, size, aligned=True)[0].permute(1, 2, 0)
        axes.imshow(crop.clip(0, 255).byte())
        axes.set_title(title, fontsize='small')
    for axes in (whole, square, fixed):
        axes.set_axis_off()
    return figure


def draw_offsets(image: np.ndarray, box: np.ndarray, keypoints: np.ndarray) -> Figure:
    """The targets of a person at stride 16, and the pose decoded from them."""
    width, height = INPUT_SIZE
    codec = OffsetHeatmap(INPUT_SIZE, (width // 16, height // 16))
    roi = extend_to_ratio(box[None], width / height, 1.25)
    pixels = torch.from_numpy(image).permute(2, 0, 1).float()[None]
    rois = torch.cat([torch.zeros(1, 1), torch.from_numpy(roi).float()], dim=1)
    crop = roi_align(pixels, rois, (height, width), aligned=True)[0].permute(1, 2, 0)
    scale = width / (roi[0, 2] - roi[0, 0])
    inside = (keypoints[:, :2] - roi[0, :2]) * scale
    targets = codec.encode(inside[None], keypoints[None, :, 2])
    decoded = codec.decode(np.concatenate([targets['heatmaps'], targets['offsets']]))[0]
    return draw_offset_field(
        crop.clip(0, 255).byte().numpy(),
        targets['heatmaps'],
        targets['offsets'],
        codec.radius,
        decoded[0],
        np.column_stack([inside, keypoints[:, 2]]),
        zoom=list(ZOOM),
        names=[ZOOM.get(k, '') for k in range(len(keypoints))],
    )


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, default=FOLDER, help='folder')
    return parser.parse_args(argv)


def main(argv=None):
    out = parse_args(argv).out
    out.mkdir(parents=True, exist_ok=True)
    image, crowd, _ = sample_scene(7, 0, 8, (320, 240), 4, 0.8)
    figures = dict(gbg=draw_gbg(image, crowd))
    image, (box,), (keypoints,) = sample_scene(7, 0, 11, (320, 240), 3, 0.6)
    figures['ratio_consistent'] = draw_rois(image, box)
    figures['offsets'] = draw_offsets(image, box, keypoints)
    for name, figure in figures.items():
        figure.savefig(out / f'{name}.jpg', dpi=110, pil_kwargs=dict(quality=88))


if __name__ == '__main__':
    main()
