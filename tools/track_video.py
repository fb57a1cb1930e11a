r"""Track the people of a video and their poses.

    python tools/track_video.py INPUT CONFIG [CHECKPOINT] --out DIR

INPUT is a video, a folder of pictures or webcam:0; CONFIG one of configs/ogn_tracking
or like them; CHECKPOINT may be left out if the config names those of its parts. Into
DIR go

    tracks.json    the poses in the format of PoseTrack 2018
    tracks.jsonl   the same frame by frame, in the network's own keypoints, with boxes
    tracked.mp4    boxes, skeletons and identities, each person in one colour

Interrupted, the same command goes on and gives what it would have given without. A
frame that cannot be read is reported and skipped. A webcam is tracked until Ctrl-C (or
q in the window of --show) and recorded to recording.mp4; it cannot be resumed.
"""

import argparse
import io
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.config import DictAction
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from rich.progress import track as progress

import ogn_mm  # noqa: F401
from ogn_mm.apis import Frame, FrameReader, FrameWriter
from ogn_mm.engine.atomic_write import write_atomically
from ogn_mm.engine.checkpoint import load_weights
from ogn_mm.engine.config_check import check_overrides
from ogn_mm.engine.json_lines import append_json_lines, read_json_lines
from ogn_mm.evaluation.functional import in_long_tracks
from ogn_mm.models.utils import read_config
from ogn_mm.structures.keypoint import POSETRACK18_JOINTS, coco_to_posetrack
from ogn_mm.visualization import draw_tracks

# Arguments that change nothing in the journal.
UNSEEN = ('out', 'keypoint_thr', 'min_length', 'no_video', 'show', 'save_every')
UNSEEN += ('fps', 'device')


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('input', help='video, folder of pictures, or webcam:0')
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


def build_model(args: argparse.Namespace):
    config = read_config(args.config)
    check_overrides(config, args.cfg_options)
    config.merge_from_dict(args.cfg_options)
    if config.model.type.rpartition('.')[2] != 'VideoPoseEstimator':
        raise ValueError(f'{args.config}: `model` is no VideoPoseEstimator')
    init_default_scope(config.get('default_scope', 'mmpose'))
    model = MODELS.build(config.model)
    if args.checkpoint:
        load_weights(model, args.checkpoint)
    return model.to(args.device).eval()


class Progress:
    """Journal and safe points of a run: what is done, and where to go on.

    Frames after the last safe point are done again.

    Args:
        out (Path): Folder of the results.
        settings (dict): What the results depend on.

    Attributes:
        tracker (dict | None): State of the tracker at the safe point.
        done (int): Last frame that is done, -1 at the beginning.
        previous (int): Last frame that could be read.

    Raises:
        ValueError: The folder's results are of other settings.
    """

    def __init__(self, out: Path, settings: dict):
        self.path, self.state_path = out / 'tracks.jsonl', out / 'tracks_state.npz'
        self.tracker, self.done, self.previous = None, -1, 0
        settings = json.loads(json.dumps(settings))
        found = next(read_json_lines(self.path), None)
        if found not in (None, settings):
            changed = [key for key in settings if found.get(key) != settings[key]]
            raise ValueError(
                f'{self.path}: holds results of another {", ".join(changed)}; choose '
                'another --out or remove it'
            )
        if found and self.state_path.exists():
            with np.load(self.state_path) as state:
                self.tracker = dict(state)
            self.done, self.previous = self.tracker.pop('place').tolist()
        out.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix('.partial')
        with partial.open('w') as journal:
            append_json_lines(journal, [settings])
            for record in self.records(self.done):
                append_json_lines(journal, [record])
        partial.replace(self.path)

    def records(self, last: float = math.inf) -> Iterator[dict]:
        """What was found in each frame up to the last one wanted."""
        for line in read_json_lines(self.path):
            if line.get('frame', math.inf) <= last and 'frame' in line:
                yield line

    def save(self, tracker: dict) -> None:
        """Make what is done up to here safe."""
        place = np.array([self.done, self.previous])
        content = io.BytesIO()
        np.savez(content, place=place, **tracker)
        write_atomically(self.state_path, content.getvalue(), durable=True)


def describe(frame: Frame, found) -> dict:
    """A frame's people as JSON; ``found`` is None for a broken frame."""
    record = dict(frame=frame.index, file_name=frame.name)
    if found is None:
        return record | dict(broken=True)
    poses = np.concatenate(
        [found.keypoints, found.keypoint_scores[..., None]], axis=-1
    ).astype(float)
    return record | dict(
        track_ids=found.track_ids.tolist(),
        bboxes=found.bboxes.astype(float).round(2).tolist(),
        scores=found.pose_scores.astype(float).round(5).tolist(),
        poses=poses.round(3).tolist(),
    )


def arrays(record: dict, model) -> dict[str, np.ndarray]:
    """A record's columns as arrays; none of a broken frame."""
    count = model.dataset_meta['num_keypoints']
    return dict(
        track_ids=np.array(record.get('track_ids', []), int),
        bboxes=np.array(record.get('bboxes', []), float).reshape(-1, 4),
        poses=np.array(record.get('poses', []), float).reshape(-1, count, 3),
    )


def track_frames(args: argparse.Namespace, model, run: Progress) -> None:
    """Track the frames that are left; the journal is complete afterwards."""
    # the frame before the first new one is needed for optical flow
    reader = FrameReader(args.input, run.previous)
    webcam = args.input.startswith('webcam:')
    recording = str(run.path.with_name('recording.mp4'))
    model.begin(reader.name, run.tracker)
    with (
        run.path.open('a') as journal,
        FrameWriter(recording, reader.fps or args.fps) as recorder,
    ):
        for frame in progress(reader, 'tracking', reader.total):
            if frame.index == run.previous:
                model.previous = frame.image
            if frame.index <= run.done:
                continue
            record = track_frame(args, model, run, frame, reader.name)
            append_json_lines(journal, [record])
            if webcam:
                recorder.write(frame.image)
            elif (frame.index + 1) % args.save_every == 0:
                run.save(model.tracker.state())
            if args.show and show(record, frame, model):
                break
    if not webcam:
        run.save(model.tracker.state())


def track_frame(args, model, run: Progress, frame: Frame, video: str) -> dict:
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
    return describe(frame, found)


def show(record: dict, frame: Frame, model) -> bool:
    """Show a frame; whether q was pressed."""
    if frame.image is None:
        return False
    cv2.imshow('track_video', draw_people(frame.image, arrays(record, model), model))
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


def in_long_tracks_only(model, run: Progress, min_length: int):
    """Records, one after the other, and their columns without short tracks."""
    ids = [np.array(r.get('track_ids', []), int) for r in run.records()]
    kept = in_long_tracks(ids, min_length)
    for record, mask in zip(run.records(), kept, strict=True):
        columns = arrays(record, model)
        yield record, {name: column[mask] for name, column in columns.items()}


def write_json(args: argparse.Namespace, model, run: Progress) -> None:
    """Write tracks.json piece by piece: the video may be long."""
    path = Path(args.out) / 'tracks.json'
    partial = path.with_suffix('.partial')
    category = dict(id=1, name='person', keypoints=list(POSETRACK18_JOINTS))
    images, identities, count = [], set(), 0
    with partial.open('w') as file:
        file.write('{"annotations":[')
        for record, columns in in_long_tracks_only(model, run, args.min_length):
            index = record['frame']
            name = record['file_name']
            images.append(dict(id=index, frame_id=index, file_name=name))
            for person in to_posetrack(record, columns, model, args.keypoint_thr):
                file.write(',\n' * (count > 0) + json.dumps(dict(id=count) | person))
                identities.add(person['track_id'])
                count += 1
        end = dict(images=images, categories=[category])
        file.write('],' + json.dumps(end)[1:])
    partial.replace(path)
    print(f'{path}: {count} poses of {len(identities)} people, {len(images)} frames')


def draw(args: argparse.Namespace, model, run: Progress) -> None:
    """Draw the people of every frame that can be read."""
    out = Path(args.out)
    webcam = args.input.startswith('webcam:')
    reader = FrameReader(str(out / 'recording.mp4') if webcam else args.input)
    people = in_long_tracks_only(model, run, args.min_length)
    with FrameWriter(str(out / 'tracked.mp4'), reader.fps or args.fps) as video:
        frames = progress(reader, 'drawing', reader.total)
        for frame, (_, columns) in zip(frames, people, strict=False):
            if frame.image is not None:
                video.write(draw_people(frame.image, columns, model, args.keypoint_thr))


def track_video(args: argparse.Namespace) -> None:
    if args.save_every < 1:
        raise ValueError(f'--save-every {args.save_every}: should be at least 1')
    out = Path(args.out)
    settings = {key: value for key, value in vars(args).items() if key not in UNSEEN}
    webcam = args.input.startswith('webcam:')
    if webcam and (out / 'tracks.jsonl').exists():
        raise ValueError(f'{out}: holds results; choose another --out for the webcam')
    model = build_model(args)
    run = Progress(out, settings)
    try:
        track_frames(args, model, run)
    except KeyboardInterrupt:
        if not webcam:
            raise
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
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')


if __name__ == '__main__':
    main()
