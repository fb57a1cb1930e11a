r"""Time Keypoint R-CNNs as wholes against torchvision's: training step and inference.

    OMP_NUM_THREADS=1 python tools/benchmarks/benchmark_keypoint_rcnn.py

The laptop's networks by default, on one CPU thread; --size r50 for those of full size.
All begin with the seed's weights. Each image has --people people. In training four
times as many ROIs are sampled, a quarter of them positive, which is then possible for
all networks: people themselves are among the proposals. In testing there are as many
detections as people, whatever they score.
"""

import argparse
from pathlib import Path

import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

import ogn_mm  # noqa: F401
from timing import compare, median_ratio, use_one_thread

FOLDER = Path(__file__).parents[2] / 'configs/ogn_mask_rcnn'
CONFIGS = {
    'r18-half': '{}_r18-half_fpn{}_1xb2-1e_generated-crowds-240x320.py',
    'r50': '{}_r50_fpn{}_8xb2-1x_coco.py',
}
NETWORKS = {
    'torchvision': ('tv-kpt-rcnn', ''),
    'baseline': ('kpt-mask-rcnn', ''),
    'a': ('ogn-mask-rcnn', '-softmax'),
    'b': ('ogn-mask-rcnn', '-softmax-rc'),
    'c': ('ogn-mask-rcnn', '-rc'),
}


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--size', choices=CONFIGS, default='r18-half')
    parser.add_argument(
        '--image', type=int, nargs=2, default=(256, 320), metavar=('H', 'W')
    )
    parser.add_argument('--images', type=int, default=2, help='images a batch')
    parser.add_argument('--people', type=int, default=16)
    parser.add_argument('--rounds', type=int, default=5)
    return parser.parse_args(argv)


def build(path: Path, people: int):
    """A network with ``people`` ROIs for keypoints an image, in training and test."""
    model = Config.fromfile(path).model
    model.get('initialize_as', model).backbone.init_cfg = None
    if model.type == 'TorchvisionKeypointRCNN':
        model.update(box_score_thresh=0.0, box_detections_per_img=people)
        model.update(box_nms_thresh=1.0, box_batch_size_per_image=4 * people)
    else:
        nms = dict(type='nms', iou_threshold=1.0)
        model.test_cfg.rcnn.update(score_thr=0.0, max_per_img=people, nms=nms)
        model.train_cfg.rcnn.sampler.num = 4 * people
    torch.manual_seed(0)
    model = MODELS.build(model)
    model.init_weights()
    return model


def make_batch(size: tuple[int, int], images: int, people: int):
    """Noise, and people anywhere in it."""
    height, width = size
    samples = []
    for _ in range(images):
        extent = torch.rand(people, 2) * 0.2 + torch.tensor([0.15, 0.3])
        low = torch.rand(people, 2) * (1 - extent)
        scale = torch.tensor([width, height])
        low, extent = low * scale, extent * scale
        gt = InstanceData(
            bboxes=torch.cat([low, low + extent], dim=1),
            labels=torch.zeros(people, dtype=torch.long),
            keypoints=low[:, None] + extent[:, None] * torch.rand(people, 17, 2),
            keypoints_visible=torch.ones(people, 17),
        )
        meta = dict.fromkeys(('img_shape', 'ori_shape', 'pad_shape'), size)
        meta['scale_factor'] = (1.0, 1.0)
        samples.append(DetDataSample(metainfo=meta, gt_instances=gt))
    return torch.randn(images, 3, *size), samples


def train(model, inputs, samples) -> None:
    model.train()
    model.zero_grad()
    loss, _ = model.parse_losses(model.loss(inputs, samples))
    loss.backward()


@torch.no_grad()
def test(model, inputs, samples) -> None:
    found = model.eval().predict(inputs, samples)
    numbers = [len(sample.pred_instances) for sample in found]
    assert numbers == [len(sample.gt_instances) for sample in samples], numbers


def main(argv=None):
    args = parse_args(argv)
    use_one_thread()
    init_default_scope('mmdet')
    models = {
        name: build(FOLDER / CONFIGS[args.size].format(*parts), args.people)
        for name, parts in NETWORKS.items()
    }
    batch = make_batch(tuple(args.image), args.images, args.people)
    print('| what | network | ms | ratio to torchvision |')
    print('|---|---|---|---|')
    for step in (train, test):
        rivals = {
            name: lambda step=step, model=model: step(model, *batch)
            for name, model in models.items()
        }
        times = compare(rivals, args.rounds)
        for name, seconds in times.items():
            print(
                f'| {step.__name__} | {name} | {1e3 * seconds.min():.0f} | '
                f'{median_ratio(seconds, times["torchvision"]):.2f} |'
            )


if __name__ == '__main__':
    main()
