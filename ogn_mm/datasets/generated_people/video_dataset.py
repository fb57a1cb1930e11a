"""Writing videos of generated people to disk in PoseTrack 2018's format, resumably."""

import json
from functools import partial
from pathlib import Path

import cv2

from ogn_mm.datasets.posetrack.annotations import read_sequence
from ogn_mm.datasets.posetrack.coco import CATEGORY, sequences_to_coco
from ogn_mm.datasets.posetrack.files import sequence_files
from ogn_mm.engine.atomic_write import write_atomically

from .dataset import STREAMS, check_manifest, run
from .video import generate_video

# Counts up when the same parameters give other pictures or annotations.
GENERATOR_VERSION = 2


def generate_videos(
    out,
    num_videos: dict,
    frames=40,
    seed=0,
    size=(320, 240),
    max_people=6,
    workers=1,
) -> None:
    """Write a data set of videos below ``out`` as PoseTrack 2018 is released.

    These are ``images/{split}/{number}_mpii_{split}/{frame}.jpg`` and
    ``annotations/{split}/{number}_mpii_{split}.json``; besides, for training on single
    frames, ``annotations/{split}.json`` as `tools/dataset_tools/convert_posetrack.py`
    makes it.

    Every video depends on (seed, split, number) alone, so neither the number of workers
    nor an interruption changes a byte. A later call finishes what is missing, and may
    ask for more videos.

    Args:
        out (str | Path): The data set's folder.
        num_videos (dict): Number of videos of the splits 'train' and 'val'.
        frames (int): Frames a video, 1 to 9999; 12 make a second.
        seed (int): >= 0.
        size (tuple): (width, height) of the images, pixels.
        max_people (int): People a video, half of this to this many and at least 2;
            not all are always in sight.
        workers (int): Processes.

    Raises:
        ValueError: A parameter out of range, or ``out`` holds a data set of other
            parameters.
    """
    for name, value in dict(frames=frames, workers=workers, **num_videos).items():
        if value < 1:
            raise ValueError(f'{name} should be at least 1, got {value}')
    if frames > 9999 or max_people < 2:
        raise ValueError(
            f'expected frames <= 9999 and max_people >= 2, got {frames=}, {max_people=}'
        )
    if seed < 0 or min(size) < 32:
        raise ValueError(
            f'expected seed >= 0 and a size of at least 32 x 32, got {seed=}, {size=}'
        )
    out = Path(out)
    parameters = dict(seed=seed, size=list(size), frames=frames, max_people=max_people)
    check_manifest(out, dict(video_generator_version=GENERATOR_VERSION, **parameters))
    for split, count in num_videos.items():
        missing = [i for i in range(count) if not is_complete(out, split, i, frames)]
        draw = partial(
            generate_video,
            seed,
            STREAMS[split],
            frames=frames,
            size=tuple(size),
            max_people=max_people,
        )
        job = partial(write_video, out, split, draw)
        for _ in run(job, missing, workers, f'{out.name}/{split}', chunk=1):
            pass
        paths = sequence_files(out / 'annotations' / split)[:count]
        coco, _, _ = sequences_to_coco(map(read_sequence, paths), out)
        write_atomically(
            out / 'annotations' / f'{split}.json', json.dumps(coco).encode()
        )


def video_name(split: str, index: int) -> str:
    """The name of a video, as PoseTrack's evaluator wants it; numbers start at 1."""
    return f'{index + 1:06d}_mpii_{split}'


def is_complete(out: Path, split: str, index: int, frames: int) -> bool:
    """Whether a video's frames and, written last, its annotations are there."""
    name = video_name(split, index)
    written = len(list((out / 'images' / split / name).glob('[0-9]*.jpg')))
    return written == frames and (out / f'annotations/{split}/{name}.json').exists()


def write_video(out: Path, split: str, draw, index: int) -> None:
    """Draw the frames of one video to their files, then write its annotations."""
    name = video_name(split, index)
    folder = out / 'images' / split / name
    folder.mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    for frame, (image, people, region) in enumerate(draw(index)):
        _, encoded = cv2.imencode('.jpg', image, (cv2.IMWRITE_JPEG_QUALITY, 95))
        path = folder / f'{frame:06d}.jpg'
        write_atomically(path, encoded.tobytes())
        image_id = int(f'1{index + 1:06d}{frame:04d}')
        images.append(image_record(image_id, path.relative_to(out), name, region))
        annotations += [
            dict(
                id=100 * image_id + i,
                image_id=image_id,
                category_id=1,
                scores=[],
                **person,
            )
            for i, person in enumerate(people)
        ]
    for image in images:
        image['nframes'] = len(images)
    content = dict(images=images, annotations=annotations, categories=[CATEGORY])
    target = out / 'annotations' / split / f'{name}.json'
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, json.dumps(content))


def image_record(image_id: int, path: Path, video: str, region) -> dict:
    """PoseTrack's record of a frame."""
    record = dict(
        id=image_id,
        frame_id=image_id,
        vid_id=video.split('_')[0],
        file_name=path.as_posix(),
        is_labeled=True,
        has_no_densepose=True,
    )
    if region is not None:
        x, y = zip(*region, strict=True)
        record |= dict(ignore_regions_x=[x], ignore_regions_y=[y])
    return record
