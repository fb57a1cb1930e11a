r"""Measure what a codec loses: the AP of ground truth that was encoded and decoded.

Every person of a COCO keypoint annotation file is cropped as MMPose's top-down
pipeline does, encoded, decoded, mapped back to the image and scored. That is what
a perfect network would reach. No image is read.

    python tools/analysis_tools/codec_oracle.py \
        data/coco_val_poses/person_keypoints_part1.json

    python tools/analysis_tools/codec_oracle.py ANN.json --strides 16 8 \
        --codec OffsetHeatmap 'OffsetHeatmap(radius=[1.5, 2])' 'MSRAHeatmap(sigma=2)'

A codec is written like a call, its arguments as Python literals; a list holds one
value for each stride. `use_udp=True` is passed on to TopdownAffine, which has to
be told when the codec is UDP's.
"""

import argparse
import ast
import contextlib
import copy
import inspect
import io
import warnings
from pathlib import Path

import numpy as np
from mmengine.dataset import Compose
from mmengine.utils import track_iter_progress
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.datasets.transforms import GetBBoxCenterScale, TopdownAffine
from mmpose.registry import KEYPOINT_CODECS
from mmpose.structures.bbox import bbox_xywh2xyxy
from xtcocotools.coco import COCO
from xtcocotools.cocoeval import COCOeval

import ogn_mm  # noqa: F401
from ogn_mm.datasets.checks import check_annotations
from ogn_mm.datasets.keypoint_names import note_keypoint_names
from ogn_mm.engine.json_files import read_json

# People whose maps are held at a time.
CHUNK = 64


def default_codecs(strides):
    """OffsetHeatmap and its rivals, these with the sigma that suits the stride."""
    sigma = f'sigma={[1 if stride >= 16 else 2 for stride in strides]}'
    return [
        'OffsetHeatmap',
        f'MSRAHeatmap({sigma})',
        f'MSRAHeatmap({sigma}, unbiased=True)',
        f'UDPHeatmap({sigma}, use_udp=True)',
        "UDPHeatmap(heatmap_type='combined', use_udp=True)",
    ]


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('annotations', type=Path, help='COCO keypoint annotation file')
    parser.add_argument(
        '--codec',
        nargs='+',
        metavar='NAME(KEY=VALUE)',
        help="default: OffsetHeatmap and MMPose's heatmaps",
    )
    parser.add_argument('--strides', type=int, nargs='+', default=[32, 16, 8, 4])
    parser.add_argument(
        '--input-size', type=int, nargs=2, default=[192, 256], metavar=('W', 'H')
    )
    parser.add_argument('--padding', type=float, default=1.25, help='of the box')
    parser.add_argument(
        '--metainfo',
        default='configs/_base_/datasets/coco.py',
        help='config with the dataset_info of the skeleton; also one of MMPose',
    )
    args = parser.parse_args(argv)
    for stride in args.strides:
        if stride <= 0 or any(size % stride for size in args.input_size):
            parser.error(
                f'--strides: {stride} does not divide --input-size {args.input_size}'
            )
    try:
        args.codecs = [
            codec
            for spec in args.codec or default_codecs(args.strides)
            for codec in parse_codec(spec, args.strides, tuple(args.input_size))
        ]
    except ValueError as error:
        parser.error(f'--codec: {error}')
    return args


def parse_codec(spec, strides, input_size):
    """Build a codec for every stride from 'Name' or 'Name(key=literal, ...)'.

    A codec that knows no heatmap size is built once, its stride is None.

    Returns:
        list[dict]: Of ``name``, ``stride``, ``use_udp`` and ``codec``.

    Raises:
        ValueError: The text isn't of that form, or no such codec exists, or it
            doesn't take these arguments.
    """
    try:
        node = ast.parse(spec.strip(), mode='eval').body
        call = node if isinstance(node, ast.Call) else ast.Call(node, [], [])
        if call.args or not isinstance(call.func, ast.Name):
            raise ValueError
        arguments = {item.arg: ast.literal_eval(item.value) for item in call.keywords}
    except (SyntaxError, ValueError):
        raise ValueError(
            f'{spec!r} is not of the form Name(key=literal, ...)'
        ) from None
    codec_type = KEYPOINT_CODECS.get(call.func.id)
    if codec_type is None:
        raise ValueError(f'{call.func.id} is no registered codec')
    has_heatmaps = 'heatmap_size' in inspect.signature(codec_type).parameters

    codecs = []
    for i, stride in enumerate(strides if has_heatmaps else [None]):
        values = dict(arguments)
        for key, value in arguments.items():
            if isinstance(value, list):
                if len(value) != len(strides):
                    raise ValueError(f'{spec}: {key} needs one value for each stride')
                values[key] = value[i]
        shown = ', '.join(f'{key}={value!r}' for key, value in values.items())
        use_udp = values.pop('use_udp', False)
        if stride:
            values['heatmap_size'] = tuple(size // stride for size in input_size)
        try:
            codec = codec_type(input_size=input_size, **values)
        except (TypeError, ValueError) as error:
            raise ValueError(f'{spec}: {error}') from error
        name = f'{call.func.id}({shown})' if shown else call.func.id
        codecs.append(dict(name=name, stride=stride, use_udp=use_udp, codec=codec))
    return codecs


def load_dataset(path, metainfo):
    """Load an annotation file's people that have a box and a labelled keypoint.

    Returns:
        tuple[dict, int]: The COCO dataset with these annotations alone, and how
        many were left out.

    Raises:
        ValueError: The file isn't a COCO keypoint annotation file for these
            keypoints; the message names the file and the field.
    """
    dataset = read_json(str(path))
    check_annotations(dataset, str(path), metainfo['num_keypoints'])
    note_keypoint_names(dataset, str(path), metainfo)
    people = [
        annotation
        for annotation in dataset['annotations']
        if not annotation.get('iscrowd')
        and min(annotation.get('bbox', [0, 0, 0, 0])[2:]) > 0
        and any((annotation.get('keypoints') or [])[2::3])
    ]
    if not people:
        raise ValueError(f'{path}: no annotation has a box and a labelled keypoint')
    skipped = len(dataset['annotations']) - len(people)
    return dict(dataset, annotations=people), skipped


def crop(annotations, input_size, padding, use_udp):
    """The people as GetBBoxCenterScale and TopdownAffine leave them."""
    pipeline = Compose(
        [GetBBoxCenterScale(padding), TopdownAffine(input_size, use_udp)]
    )
    people = []
    for annotation in annotations:
        keypoints = np.array(annotation['keypoints'], np.float64).reshape(1, -1, 3)
        results = dict(
            img=[],  # a list of no image: the affine map is applied to keypoints only
            bbox=bbox_xywh2xyxy(np.array([annotation['bbox']], np.float64)),
            keypoints=keypoints[..., :2],
            keypoints_visible=np.minimum(keypoints[..., 2], 1),
        )
        people.append(pipeline(results))
    return people


def encode(codec, person):
    """What a perfect head would hand to the codec's ``decode``, as a tuple."""
    encoded = codec.encode(person['transformed_keypoints'], person['keypoints_visible'])
    labels, maps = (
        [encoded[key] for key in table if 'weights' not in key]
        for table in (codec.label_mapping_table, codec.field_mapping_table)
    )
    return tuple(labels) or (np.concatenate(maps),)


def round_trip(codec, people):
    """Encode, decode and map back to the image, (P, K, 2)."""
    keypoints = []
    for i in range(0, len(people), CHUNK):
        encoded = [encode(codec, person) for person in people[i : i + CHUNK]]
        if codec.support_batch_decoding:
            decoded = codec.batch_decode(*map(np.stack, zip(*encoded, strict=True)))[0]
        else:
            decoded = [codec.decode(*person)[0] for person in encoded]
        keypoints.extend(np.asarray(person)[0] for person in decoded)
    # UDP decodes an empty map to NaN, which counts as a miss
    keypoints = np.nan_to_num(keypoints)
    size, scale, center = (
        np.stack([person[f'input_{name}'] for person in people])[:, None]
        for name in ('size', 'scale', 'center')
    )
    # as TopdownPoseEstimator.add_pred_to_datasample
    return keypoints / size * scale + center - 0.5 * scale


def leave_out(dataset, outside):
    """The dataset with the keypoints in the mask, (P, K), made unlabelled."""
    dataset = copy.deepcopy(dataset)
    for annotation, mask in zip(dataset['annotations'], outside, strict=True):
        visible = np.where(mask, 0, annotation['keypoints'][2::3])
        annotation['keypoints'][2::3] = visible.tolist()
        annotation['num_keypoints'] = int(np.count_nonzero(visible))
    return dataset


def average_precision(dataset, keypoints, sigmas):
    """COCO AP in percent; all poses score 1, as there is nothing to rank them by."""
    scored = np.concatenate([keypoints, np.ones_like(keypoints[..., :1])], axis=-1)
    poses = [
        dict(
            image_id=annotation['image_id'],
            category_id=annotation['category_id'],
            keypoints=pose.ravel().tolist(),
            score=1.0,
        )
        for annotation, pose in zip(dataset['annotations'], scored, strict=True)
    ]
    use_area = all('area' in annotation for annotation in dataset['annotations'])
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO('', ann_data=copy.deepcopy(dataset))
        evaluation = COCOeval(
            truth, truth.loadRes(poses), 'keypoints', sigmas, use_area
        )
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return 100 * evaluation.stats[0]


def measure(dataset, sigmas, codecs, input_size, padding):
    """Measure codecs on a dataset.

    Args:
        dataset (dict): COCO dataset as :func:`load_dataset` returns.
        sigmas (np.ndarray): The skeleton's, (K,).
        codecs (list[dict]): As :func:`parse_codec` returns.
        input_size (tuple[int, int]): (w, h).
        padding (float): Of the boxes.

    Yields:
        tuple[float, float, float, float]: AP, AP without the keypoints outside the
        crop, and the mean and largest error, in image pixels, of those inside.
    """
    people = {
        use_udp: crop(dataset['annotations'], input_size, padding, use_udp)
        for use_udp in {codec['use_udp'] for codec in codecs} | {False}
    }
    original, center, scale, visible = (
        np.concatenate([person[name] for person in people[False]])
        for name in ('keypoints', 'bbox_center', 'bbox_scale', 'keypoints_visible')
    )
    distance = np.abs(original - center[:, None])
    inside = (distance <= 0.5 * scale[:, None]).all(-1)
    dataset_inside = leave_out(dataset, ~inside)
    counts = inside & (visible > 0)
    for codec in codecs:
        keypoints = round_trip(codec['codec'], people[codec['use_udp']])
        error = np.linalg.norm(keypoints - original, axis=-1)[counts]
        yield (
            average_precision(dataset, keypoints, sigmas),
            average_precision(dataset_inside, keypoints, sigmas),
            error.mean(),
            error.max(),
        )


def print_table(codecs, rows):
    width = max(len(codec['name']) for codec in codecs)
    columns = ('AP', 'AP inside', 'mean error', 'max error')
    print(f'| {"codec":{width}} | stride | {" | ".join(columns)} |')
    print(
        f'| {"-" * width} | -----: |',
        ' | '.join('-' * (len(c) - 1) + ':' for c in columns),
        '|',
    )
    for codec, (ap, ap_inside, mean, largest) in zip(codecs, rows, strict=True):
        print(
            f'| {codec["name"]:{width}} | {codec["stride"] or "":>6} | {ap:.2f} | '
            f'{ap_inside:9.2f} | {mean:10.4f} | {largest:9.4f} |'
        )


def main(argv=None):
    args = parse_args(argv)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', UserWarning)  # it took the file in MMPose
            metainfo = parse_pose_metainfo(dict(from_file=args.metainfo))
        dataset, skipped = load_dataset(args.annotations, metainfo)
    except (OSError, ValueError) as error:
        raise SystemExit(f'codec_oracle: {error}') from error
    print(f'{len(dataset["annotations"])} people, {skipped} without box or keypoints')

    measured = measure(
        dataset, metainfo['sigmas'], args.codecs, tuple(args.input_size), args.padding
    )
    with np.errstate(all='ignore'):  # rivals divide by the maxima of empty maps
        rows = list(track_iter_progress((measured, len(args.codecs))))
    print_table(args.codecs, rows)


if __name__ == '__main__':
    main()
