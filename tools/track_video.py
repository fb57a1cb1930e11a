r"""Track the people of a video and their poses.

    python tools/track_video.py INPUT CONFIG [CHECKPOINT] --out DIR

INPUT is a video, a folder of pictures or webcam:NUMBER; CONFIG is one of
configs/ogn_tracking or like them; CHECKPOINT may be left out if the config names those
of its parts. Into DIR go

    tracks.json    the poses in the format of PoseTrack 2018
    tracks.jsonl   the same frame by frame, in the network's own keypoints, with boxes
    tracked.mp4    boxes, skeletons and identities, each person in one colour

Interrupted, the same command goes on and gives what it would have given without. A
frame that cannot be read is reported and skipped. After SIGTERM or SIGUSR1 the frame at
hand is finished and saved, and the exit status is 75. A webcam is tracked until Ctrl-C
(or q in the window of --show) and recorded to recording.mp4; it cannot be resumed.
"""

import argparse
import contextlib
import hashlib
import json
import os
import pickle
import sys
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.config import Config, DictAction
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from rich.progress import track as progress

import ogn_mm  # noqa: F401
from ogn_mm.apis import Frame, FrameReader, FrameWriter, is_webcam
from ogn_mm.apis.track_journal import TrackJournal, describe_frame, record_arrays
from ogn_mm.apis.video_rate import writable_rate
from ogn_mm.engine.atomic_write import atomic_file
from ogn_mm.engine.checkpoint import load_weights, require_checkpoint
from ogn_mm.engine.config_check import read_config
from ogn_mm.engine.json_lines import append_json_lines
from ogn_mm.engine.launch import check_device, summarize_error
from ogn_mm.engine.signals import PREEMPTED_STATUS, SignalNote
from ogn_mm.models import VideoPoseEstimator
from ogn_mm.models.utils import find_config, has_model
from ogn_mm.structures.keypoint import POSETRACK18_JOINTS, coco_to_posetrack
from ogn_mm.visualization import draw_tracks

WINDOW = 'track_video'
# What coco_to_posetrack knows.
COCO_KEYPOINTS = {'left_eye', 'right_eye', *POSETRACK18_JOINTS}
COCO_KEYPOINTS -= {'head_bottom', 'head_top'}
# Arguments that change nothing in the journal.
UNSEEN = ('out', 'keypoint_thr', 'min_length', 'no_video', 'show', 'save_every')
UNSEEN += ('fps', 'device')


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('input', help='video, folder of pictures, or webcam:NUMBER')
    parser.add_argument('config')
    parser.add_argument('checkpoint', nargs='?')
    parser.add_argument('--out', required=True, help='folder for the results')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        default={},
        metavar='KEY=VALUE',
        help='override settings of the config, e.g. model.tracker.max_gap=30',
    )
    parser.add_argument(
        '--keypoint-thr',
        type=float,
        default=0.2,
        help='leave out keypoints that score less, in tracks.json and the video',
    )
    parser.add_argument('--min-length', type=int, default=3, help='poses of a track')
    parser.add_argument('--no-video', action='store_true', help='draw nothing')
    parser.add_argument('--show', action='store_true', help='show in a window')
    parser.add_argument(
        '--save-every', type=int, default=50, help='frames between safe points'
    )
    parser.add_argument(
        '--fps', type=float, default=25, help='of the video made of a folder'
    )
    device = 'cuda:0' if torch.cuda.is_available() else 'cpu'
    parser.add_argument('--device', default=device)
    return parser.parse_args(argv)


def check_args(args: argparse.Namespace) -> None:
    """Raise ValueError for what would fail after the work."""
    for name in ('save_every', 'min_length'):
        if vars(args)[name] < 1:
            option = name.replace('_', '-')
            raise ValueError(f'--{option} {vars(args)[name]}: should be at least 1')
    if writable_rate(args.fps) is None:
        raise ValueError(f'--fps {args.fps}: should be from 0.01 to 65535')
    check_device(args.device)
    if args.checkpoint:
        require_checkpoint(args.checkpoint)
    out = Path(args.out)
    if out.exists() and not out.is_dir():
        raise ValueError(f'{out}: --out should be a folder, found a file')
    if is_webcam(args.input) and (out / 'tracks.jsonl').exists():
        raise ValueError(f'{out}: holds results; choose another --out for the webcam')
    if args.show:
        check_display()


def check_display() -> None:
    """Check that a window can be opened: Qt would abort, rather than complain."""
    displays = ('DISPLAY', 'WAYLAND_DISPLAY', 'QT_QPA_PLATFORM')
    if sys.platform == 'linux' and not any(map(os.environ.get, displays)):
        raise ValueError('--show: there is no display')
    try:
        cv2.namedWindow(WINDOW)
    except cv2.error as error:
        raise ValueError('--show: this OpenCV opens no windows') from error


def load_config(args: argparse.Namespace) -> Config:
    config = read_config(find_config(args.config), args.cfg_options)
    if not has_model(config, VideoPoseEstimator):
        raise ValueError('`model` is no VideoPoseEstimator')
    return config


def build_model(args: argparse.Namespace) -> tuple[VideoPoseEstimator, str]:
    """The model, without the checkpoint's weights, and a digest of its config.

    Raises:
        ValueError: The config cannot be used. The sentence names it.
    """
    try:
        config = load_config(args)
        init_default_scope(config.get('default_scope', 'mmpose'))
        model = MODELS.build(config.model)
    except Exception as error:  # a config may run any code
        reason = summarize_error(error, args.config)
        if not reason.startswith(args.config):
            reason = f'{args.config}: {reason}'
        raise ValueError(reason) from error
    if model.needs_annotations:
        raise ValueError(
            f'{args.config}: `model` takes people from annotations, which INPUT does '
            'not have: it needs a `detector`'
        )
    names = set(model.dataset_meta['keypoint_name2id'])
    if names != COCO_KEYPOINTS and not names.issuperset(POSETRACK18_JOINTS):
        raise ValueError(
            f"{args.config}: the network's keypoints are neither COCO's nor "
            "PoseTrack's, which tracks.json has"
        )
    digest = hashlib.sha256(repr(config.model.to_dict()).encode()).hexdigest()[:16]
    return model.eval(), digest


def load_model(args: argparse.Namespace) -> tuple[VideoPoseEstimator, str]:
    """As :func:`build_model`, with weights and on the device.

    Raises:
        OSError, ValueError, pickle.UnpicklingError: The checkpoint cannot be used, or a
            part has no weights.
    """
    model, digest = build_model(args)
    if args.checkpoint:
        load_weights(model, args.checkpoint)
    else:
        model.check_weights()
    return model.to(args.device), digest


def track_frames(args: argparse.Namespace, model, run: TrackJournal, reader) -> bool:
    """Track the frames that are left; the journal is complete afterwards.

    Returns:
        bool: Whether a signal ended it early, at a safe point.
    """
    # the frame before the first new one is needed for optical flow
    reader.start = run.previous
    webcam = is_webcam(args.input)
    recording = str(run.path.with_name('recording.mp4'))
    model.begin(reader.name, run.tracker)
    with (
        SignalNote() as note,
        run.path.open('a') as journal,
        FrameWriter(recording, reader.fps or args.fps) as recorder,
        # which ends a webcam's film
        contextlib.suppress(*[KeyboardInterrupt] * webcam),
    ):
        for frame in progress(reader, 'tracking', reader.total):
            if frame.index == run.previous:
                model.previous = frame.image
            if frame.index <= run.done:
                continue
            record = track_frame(args, model, run, frame, reader.name)
            append_json_lines(journal, [record])
            if webcam:
                if frame.image is not None:
                    recorder.write(frame.image)
            elif (frame.index + 1) % args.save_every == 0:
                run.save(model.tracker.state(), journal)
            if note.received or (args.show and show(record, frame, model)):
                break
        if not webcam:
            run.save(model.tracker.state(), journal)
        if reader.early_end:
            print(reader.early_end)
    return bool(note.received) and not webcam


def track_frame(args, model, run: TrackJournal, frame: Frame, video: str) -> dict:
    """Track a frame, or report it as broken; its record."""
    found = None
    if frame.image is None:
        print(f'{args.input}: frame {frame.index}, {frame.name}, cannot be read')
    else:
        meta = dict(
            video_id=video,
            frame_id=frame.index,
            img_path=frame.name,
            ori_shape=frame.image.shape[:2],
        )
        found = model.track(frame.image, PoseDataSample(metainfo=meta))
        run.previous = frame.index
    run.done = frame.index
    return describe_frame(frame, found)


def show(record: dict, frame: Frame, model) -> bool:
    """Show a frame; whether q was pressed."""
    if frame.image is None:
        return False
    columns = record_arrays(record, model.dataset_meta['num_keypoints'])
    cv2.imshow(WINDOW, draw_people(frame.image, columns, model))
    return cv2.waitKey(1) == ord('q')


def draw_people(image, columns: dict, model, keypoint_thr: float = 0.2):
    people = (columns[name] for name in ('bboxes', 'poses', 'track_ids'))
    skeleton = model.dataset_meta['skeleton_links']
    return draw_tracks(image, *people, skeleton, keypoint_thr)


def to_posetrack(record: dict, columns: dict, model, keypoint_thr: float) -> list[dict]:
    """A frame's annotations in the layout of PoseTrack 2018, without ids."""
    names = [name for _, name in sorted(model.dataset_meta['keypoint_id2name'].items())]
    keypoints, scores = columns['poses'][..., :2], columns['poses'][..., 2]
    if 'head_bottom' not in names:
        keypoints, scores = coco_to_posetrack(keypoints, scores)
        names = list(POSETRACK18_JOINTS)
    order = [names.index(name) for name in POSETRACK18_JOINTS]
    keypoints, scores = keypoints[:, order], scores[:, order]
    exist = scores >= keypoint_thr
    # the official files never label the ears
    exist[
        :, [POSETRACK18_JOINTS.index(f'{side}_ear') for side in ('left', 'right')]
    ] = 0
    flagged = np.concatenate([keypoints, exist[..., None]], -1) * exist[..., None]
    x1, y1, x2, y2 = columns['bboxes'].T
    boxes = np.stack([x1, y1, x2 - x1, y2 - y1], axis=1)
    return [
        dict(
            image_id=record['frame'],
            category_id=1,
            track_id=track_id,
            keypoints=pose.round(3).ravel().tolist(),
            scores=(joint_scores * shown).round(5).tolist(),
            bbox=box.round(2).tolist(),
        )
        for track_id, pose, joint_scores, shown, box in zip(
            columns['track_ids'].tolist(), flagged, scores, exist, boxes, strict=True
        )
    ]


def long_tracks(args: argparse.Namespace, model, run: TrackJournal):
    return run.long_tracks(model.dataset_meta['num_keypoints'], args.min_length)


def write_json(args: argparse.Namespace, model, run: TrackJournal) -> None:
    """Write tracks.json piece by piece: the video may be long."""
    path = Path(args.out) / 'tracks.json'
    category = dict(id=1, name='person', keypoints=list(POSETRACK18_JOINTS))
    images, identities, count = [], set(), 0
    with atomic_file(path, durable=True) as file:
        file.write('{"annotations":[')
        for record, columns in long_tracks(args, model, run):
            index = record['frame']
            name = record['file_name']
            images.append(dict(id=index, frame_id=index, file_name=name))
            for person in to_posetrack(record, columns, model, args.keypoint_thr):
                file.write(',\n' * (count > 0) + json.dumps(dict(id=count) | person))
                identities.add(person['track_id'])
                count += 1
        end = dict(images=images, categories=[category])
        file.write('],' + json.dumps(end)[1:])
    print(f'{path}: {count} poses of {len(identities)} people, {len(images)} frames')


def draw(args: argparse.Namespace, model, run: TrackJournal) -> None:
    """Draw the people of every frame that can be read."""
    out = Path(args.out)
    webcam = is_webcam(args.input)
    reader = FrameReader(str(out / 'recording.mp4') if webcam else args.input)
    people = long_tracks(args, model, run)
    if webcam:  # broken frames were not recorded
        people = (found for found in people if 'broken' not in found[0])
    with FrameWriter(str(out / 'tracked.mp4'), reader.fps or args.fps) as video:
        frames = progress(reader, 'drawing', reader.total)
        for frame, (_, columns) in zip(frames, people, strict=False):
            if frame.image is not None:
                video.write(draw_people(frame.image, columns, model, args.keypoint_thr))


def track_video(args: argparse.Namespace) -> None:
    check_args(args)
    reader = FrameReader(args.input)
    model, digest = load_model(args)
    settings = {key: value for key, value in vars(args).items() if key not in UNSEEN}
    run = TrackJournal(Path(args.out), settings | dict(model=digest))
    if track_frames(args, model, run, reader):
        print(f'saved up to frame {run.done}; the same command goes on')
        sys.exit(PREEMPTED_STATUS)
    if all('broken' in record for record in run.records()):
        raise ValueError(f'{args.input}: no frame could be read')
    write_json(args, model, run)
    if not args.no_video:
        draw(args, model, run)


def main(argv=None):
    args = parse_args(argv)
    try:
        track_video(args)
    except KeyboardInterrupt:
        sys.exit('interrupted; the same command goes on')
    except (OSError, ValueError, pickle.UnpicklingError) as error:
        sys.exit(f'error: {error}')


if __name__ == '__main__':
    main()
