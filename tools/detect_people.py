"""Detect the people in a COCO-style data set and write them to a JSON file.

    python tools/detect_people.py CONFIG CHECKPOINT --ann ANN.json --images FOLDER \\
        --out detections.json

Any MMDetection config will do whose class 0 is the person, or what else has keypoints
in ANN: detections get the id of its category. The file is COCO's for detection results,
as MMPose's ``bbox_file`` takes it, and appears when it is complete.
Killed and started again, the same command goes on with the images that are left.
Images go one at a time, so that no image's boxes depend on its neighbours.

Several processes, one a GPU (or CPU processes), share the images:

    PYTHONPATH=. python -m torch.distributed.run --nproc_per_node=8 \\
        tools/detect_people.py CONFIG CHECKPOINT ... --launcher pytorch
"""

import argparse
import json
from pathlib import Path

from mmengine.dist import barrier, is_main_process
from mmengine.hooks import Hook
from rich.progress import Progress

import ogn_mm  # noqa: F401
from ogn_mm.datasets.categories import PERSON, check_categories, choose_category
from ogn_mm.datasets.checks import require_images
from ogn_mm.datasets.transforms import use_checked_images
from ogn_mm.engine.atomic_write import write_atomically
from ogn_mm.engine.checkpoint import (
    is_local,
    require_checkpoint,
)
from ogn_mm.engine.json_files import Records, read_json, read_object
from ogn_mm.engine.launch import (
    build_parser,
    build_runner,
    load_config,
    run_tool,
    start_processes,
)
from ogn_mm.evaluation.metrics.detection_file import (
    journal_folder,
    read_journal,
    write_detections,
)


class ProgressHook(Hook):
    """A progress bar of the main process's images."""

    def before_test_epoch(self, runner):
        self.bar = Progress(disable=not is_main_process())
        self.task = self.bar.add_task('detecting', total=len(runner.test_dataloader))
        self.bar.start()

    def after_test_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.bar.advance(self.task)

    def after_test_epoch(self, runner, metrics=None):
        self.bar.stop()


def parse_args(argv=None):
    parser = build_parser(__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--ann', required=True, help='COCO annotation file')
    parser.add_argument('--images', required=True, help="folder of the file's images")
    parser.add_argument('--out', required=True, help='JSON file to write')
    parser.add_argument(
        '--category',
        default='person',
        help="the annotation file's category that the detector's first class is; "
        "'person' stands for a single one of any name",
    )
    parser.add_argument(
        '--exist-ok', action='store_true', help='do nothing if the file exists'
    )
    return parser.parse_args(argv)


def list_images(ann: str, folder: str, category: str) -> tuple[list[dict], int]:
    """The images of a COCO annotation file, and the id of the category to detect.

    Raises:
        ValueError: The file does not list images and categories as COCO's does.
        FileNotFoundError: There is no such file, or some images are missing.
    """
    # a list of images alone is one of people
    content = dict(categories=[PERSON]) | read_object(ann, images=list)
    found = content['images']
    check_categories(content, ann)
    people = Records(content.get('annotations') or [], 'annotation', ann)
    people.column('category_id', int)
    chosen = choose_category(content, ann, category, '--category')
    if not found:
        raise ValueError(f"{ann}: field 'images' should be a non-empty list")
    images = Records(found, 'image', ann)
    images.unique_ids()
    images.numbers('width')
    images.numbers('height')
    names = images.column('file_name', str)
    require_images((f'{folder}/{name}' for name in names), ann, 'check --images')
    return found, chosen['id']


def plan(args: argparse.Namespace, cfg, images: list[dict]) -> None:
    """Write which images are left, beside the journals of the runs before.

    Raises:
        ValueError: These runs had another config, checkpoint or data.
    """
    folder = journal_folder(args.out)
    checkpoint = [args.checkpoint]
    if is_local(args.checkpoint):
        path = Path(args.checkpoint).expanduser()
        checkpoint = [str(path.resolve()), path.stat().st_size, path.stat().st_mtime]
    run = dict(
        model=repr(cfg.model.to_dict()),
        pipeline=repr(cfg.test_dataloader.dataset.pipeline),
        checkpoint=checkpoint,
        data=[str(Path(path).resolve()) for path in (args.ann, args.images)],
    )
    manifest, done = folder / 'run.json', read_journal(folder)
    for name, value in (read_object(manifest) if done else {}).items():
        if value != run.get(name):
            raise ValueError(
                f'{folder}: holds detections of another {name}; remove the folder or '
                'choose another --out.'
            )
    left = [image for image in images if image['id'] not in done]
    content = dict(images=left, annotations=[], categories=[dict(id=1, name='person')])
    for path, value in ((manifest, run), (folder / 'images.json', content)):
        write_atomically(path, json.dumps(value))


def merge_args(cfg, args: argparse.Namespace):
    """Let the config test the images that are left, and journal what it finds."""
    pipeline = [
        step
        for step in cfg.test_dataloader.dataset.pipeline
        if not step.type.endswith('LoadAnnotations')
    ]
    cfg.test_dataloader = dict(
        batch_size=1,
        num_workers=cfg.test_dataloader.num_workers,
        sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
        dataset=dict(
            type='CocoDataset',
            ann_file=str(journal_folder(args.out).resolve() / 'images.json'),
            data_prefix=dict(img=args.images),
            metainfo=dict(classes=('person',)),
            pipeline=use_checked_images(pipeline),
            test_mode=True,
        ),
    )
    cfg.test_evaluator = dict(type='DetectionFile', out_file=args.out)
    cfg.load_from = args.checkpoint
    cfg.resume = False


def detect(args: argparse.Namespace):
    cfg = load_config(args)
    if cfg.get('default_scope') != 'mmdet':
        raise ValueError(
            "it is not one of MMDetection's: `default_scope` is not mmdet."
        )
    require_checkpoint(args.checkpoint)
    if Path(args.out).exists():
        if args.exist_ok:
            print(f'{args.out}: exists and is kept')
            return
        raise ValueError(f'{args.out}: exists; remove it or choose another --out.')
    images, category = list_images(args.ann, args.images, args.category)
    start_processes(cfg)
    if is_main_process():
        plan(args, cfg, images)
    barrier()
    if read_json(str(journal_folder(args.out) / 'images.json'))['images']:
        merge_args(cfg, args)
        runner = build_runner(cfg)
        runner.register_hook(ProgressHook())
        runner.test()
    barrier()
    if is_main_process():
        ids = [image['id'] for image in images]
        count = write_detections(args.out, ids, category)
        print(f'{args.out}: {count} people in {len(images)} images')


def main(argv=None):
    run_tool(detect, parse_args(argv))


if __name__ == '__main__':
    main()
