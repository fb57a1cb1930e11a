r"""Detect people and estimate their poses in images, folders, videos or a webcam.

    python tools/inference.py INPUT POSE_CONFIG POSE_CHECKPOINT \
        --detector DET_CONFIG DET_CHECKPOINT --out DIR
    python tools/inference.py INPUT MASK_RCNN_CONFIG CHECKPOINT --out DIR

The second finds boxes and keypoints by one network (configs/ogn_mask_rcnn). INPUT is
an image, a folder of images, a video, or webcam:0, which Ctrl-C ends. A checkpoint is a
file or an address that MMEngine loads from (https://...); of one of this package's
configs the name is enough. Into DIR go

    poses.json     COCO keypoint annotations with scores
    poses.jsonl    the same, image by image, as they are found
    pictures/      the poses drawn, as pictures or as a video

``--boxes`` says how people are chosen among the detector's boxes: by Greedy Box
Generation (gbg), by NMS (nms), or as the detector gives them (all). The first two are
for a detector that does not suppress boxes itself (configs/person_detector/*-raw.py).
It and the pose NMS do not concern networks that find both.
Interrupted in a folder, the same command goes on with the images that are left.
"""

import argparse
import json
import pickle
import sys
from itertools import chain
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.runner import CheckpointLoader
from mmpose.structures.bbox import bbox_xyxy2xywh

import ogn_mm  # noqa: F401
from ogn_mm.apis import KeypointDetectionInferencer, OGNInferencer, list_images
from ogn_mm.datasets.categories import category_of
from ogn_mm.engine.atomic_write import write_atomically
from ogn_mm.engine.checkpoint import find_weights, require_checkpoint, require_weights
from ogn_mm.engine.config_check import read_config
from ogn_mm.engine.json_files import Records, check_object
from ogn_mm.engine.json_lines import append_json_lines, read_json_lines
from ogn_mm.engine.launch import check_device
from ogn_mm.models.utils import find_config

BOX_FILTERS = dict(
    gbg=dict(type='mmdet.GreedyBoxGeneration'), nms=dict(type='mmdet.BoxNMS'), all=None
)

# Arguments that change no pose.
UNSEEN = ('out', 'draw_thr', 'no_pictures', 'show', 'batch_size', 'device')


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('input', help='image, folder, video, or webcam:0')
    parser.add_argument('pose_config')
    parser.add_argument('pose_checkpoint')
    parser.add_argument(
        '--detector',
        nargs=2,
        metavar=('CONFIG', 'CHECKPOINT'),
        help='person detector; without one, an image is taken for one person',
    )
    parser.add_argument('--out', required=True, help='folder for the results')
    parser.add_argument('--boxes', choices=BOX_FILTERS, default='gbg')
    parser.add_argument(
        '--person-label', type=int, default=0, help="a person's label in the detector"
    )
    parser.add_argument('--oks-thr', type=float, default=0.75, help='of the pose NMS')
    parser.add_argument('--iou-thr', type=float, default=0.6, help='of the pose NMS')
    parser.add_argument(
        '--draw-thr', type=float, default=0.3, help='draw poses scored at least so'
    )
    parser.add_argument('--no-pictures', action='store_true', help='only poses.json')
    parser.add_argument('--show', action='store_true', help='show in a window')
    parser.add_argument('--batch-size', type=int, default=64, help='people at once')
    parser.add_argument('--device', help='e.g. cpu, cuda:0')
    return parser.parse_args(argv)


def describe(sample) -> dict:
    """One image's poses as JSON.

    Args:
        sample (PoseDataSample): Of `OGNInferencer`.

    Returns:
        dict: ``file_name``, ``width``, ``height`` and ``poses``, a list of COCO
        annotations without ids; a keypoint's third number is its score.
    """
    found = sample.pred_instances
    boxes = bbox_xyxy2xywh(found.bboxes)
    scored = np.concatenate(
        [found.keypoints, found.keypoint_scores[..., None]], axis=-1
    )
    poses = [
        dict(
            bbox=box.round(2).tolist(),
            area=round(float(box[2] * box[3]), 2),
            keypoints=keypoints.round(3).ravel().tolist(),
            num_keypoints=len(keypoints),
            iscrowd=0,
            score=round(float(score), 5),
        )
        for box, keypoints, score in zip(
            boxes.astype(float), scored.astype(float), found.pose_scores, strict=True
        )
    ]
    height, width = sample.ori_shape
    name = Path(sample.img_path).name
    return dict(file_name=name, width=width, height=height, poses=poses)


def to_coco(records: list, meta: dict) -> dict:
    """COCO's dictionary from the records of :func:`describe`; ids start at 1."""
    names = [meta['keypoint_id2name'][i] for i in range(meta['num_keypoints'])]
    skeleton = [[a + 1, b + 1] for a, b in meta['skeleton_links']]
    category = dict(category_of(meta), keypoints=names, skeleton=skeleton)
    images, annotations = [], []
    for i, record in enumerate(records, start=1):
        images.append(
            dict(id=i) | {key: record[key] for key in ('file_name', 'width', 'height')}
        )
        for pose in record['poses']:
            ids = dict(image_id=i, category_id=category['id'])
            annotations.append(dict(id=len(annotations) + 1) | pose | ids)
    return dict(images=images, annotations=annotations, categories=[category])


def build_inferencer(args: argparse.Namespace) -> OGNInferencer:
    if Config.fromfile(args.pose_config).get('default_scope') == 'mmdet':
        if args.detector:
            raise ValueError(
                f'{args.pose_config}: finds people itself, leave out --detector'
            )
        return KeypointDetectionInferencer(
            args.pose_config, args.pose_checkpoint, args.device, show_progress=True
        )
    det_config, det_checkpoint = args.detector or ('whole_image', None)
    return OGNInferencer(
        args.pose_config,
        args.pose_checkpoint,
        device=args.device,
        det_model=det_config,
        det_weights=det_checkpoint,
        det_cat_ids=args.person_label,
        box_filter=BOX_FILTERS[args.boxes],
        pose_nms_cfg=dict(oks_thr=args.oks_thr, iou_thr=args.iou_thr),
        people_per_batch=args.batch_size,
        show_progress=True,
    )


def read_journal(path: Path, settings: dict) -> list[dict]:
    """The records of an earlier run; lines that a kill left unfinished are left out.

    Raises:
        ValueError: That run had other settings.
    """
    records = list(read_json_lines(path, dict))
    if len(records) > 1 and records[0] != settings:
        changed = [key for key in settings if records[0].get(key) != settings[key]]
        raise ValueError(
            f'{path}: was written with another {", ".join(changed)}; choose another '
            '--out or remove it'
        )
    pictures = Records(records[1:], 'line', str(path))
    pictures.column('file_name', str)
    for name in ('width', 'height'):
        pictures.column(name, int)
    for pose in chain.from_iterable(pictures.column('poses', list)):
        check_object(pose, str(path), keypoints=list)
    return pictures.items


def read_model(config: str, checkpoint: str) -> dict:
    """Check a model's config and read the weights of its checkpoint.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: It is no config of a model, or no checkpoint.
    """
    require_checkpoint(checkpoint)
    try:
        read_config(config)
    except Exception as error:  # a config may run any code
        raise ValueError(f'{config}: is no config of a model ({error})') from error
    content = CheckpointLoader.load_checkpoint(checkpoint, 'cpu')
    return find_weights(content, checkpoint)


def infer(args: argparse.Namespace) -> None:
    check_device(args.device)
    args.pose_config = find_config(args.pose_config)
    if args.detector:
        args.detector[0] = find_config(args.detector[0])
    pose_weights = read_model(args.pose_config, args.pose_checkpoint)
    if args.detector:
        detector_weights = read_model(*args.detector)
        if Config.fromfile(args.detector[0]).get('default_scope') == 'mmpose':
            raise ValueError(f'{args.detector[0]}: is not of a detector, but of MMPose')
    out = Path(args.out)
    journal = out / 'poses.jsonl'
    settings = {key: value for key, value in vars(args).items() if key not in UNSEEN}
    inputs, records = args.input, []
    if Path(args.input).is_dir():
        records = read_journal(journal, settings)
        done = {record['file_name'] for record in records}
        inputs = [path for path in list_images(inputs) if Path(path).name not in done]
    out.mkdir(parents=True, exist_ok=True)
    inferencer = build_inferencer(args)
    require_weights(inferencer.model, pose_weights, args.pose_checkpoint)
    if args.detector:
        detector = inferencer.detector.model
        require_weights(detector, detector_weights, args.detector[1])
    results = inferencer(
        inputs,
        return_datasamples=True,
        vis_out_dir='' if args.no_pictures else str(out / 'pictures'),
        show=args.show,
        draw_bbox=True,
        pose_thr=args.draw_thr,
    )
    with journal.open('a' if records else 'w') as file:
        if not records:
            append_json_lines(file, [settings])
        for result in results:
            records.append(describe(*result['predictions']))
            append_json_lines(file, records[-1:])
    if not records:
        raise ValueError(f'{args.input}: no image could be read')
    records.sort(key=lambda record: record['file_name'])
    coco = to_coco(records, inferencer.model.dataset_meta)
    write_atomically(out / 'poses.json', json.dumps(coco))
    print(f'{out}/poses.json: {len(coco["annotations"])} poses, {len(records)} images')
    if inferencer.skipped:
        names = ', '.join(inferencer.skipped)
        print(f'skipped {len(inferencer.skipped)} that cannot be read: {names}')


def main(argv=None):
    args = parse_args(argv)
    try:
        infer(args)
    except (OSError, ValueError, pickle.UnpicklingError) as error:
        sys.exit(f'error: {error}')


if __name__ == '__main__':
    main()
