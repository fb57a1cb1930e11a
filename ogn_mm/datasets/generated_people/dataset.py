"""Writing generated people to disk as a COCO keypoint data set, resumably."""

import json
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path

import cv2
from rich.progress import track

from ogn_mm.engine.atomic_write import write_atomically
from ogn_mm.engine.json_files import check_object, read_object
from ogn_mm.engine.json_lines import append_json_lines, read_json_pairs

from ..checks import check_annotations
from .body import KEYPOINTS
from .scene import MAX_OVERLAP, generate_image

# Counts up when the same parameters give other pictures or annotations.
GENERATOR_VERSION = 2
STREAMS = dict(train=0, val=1)
# COCO's own drawing order, counted from 1.
SKELETON = ((16, 14), (14, 12), (17, 15), (15, 13), (12, 13), (6, 12), (7, 13), (6, 7),
            (6, 8), (7, 9), (8, 10), (9, 11), (2, 3), (1, 2), (1, 3), (2, 4), (3, 5),
            (4, 6), (5, 7))  # fmt: skip


def generate_dataset(
    out,
    num_images: dict,
    seed=0,
    size=(320, 240),
    max_people=3,
    max_overlap=MAX_OVERLAP,
    workers=1,
) -> None:
    """Write ``images/{split}/*.jpg`` and ``annotations/{split}.json`` below ``out``.

    Every image depends on (seed, split, index) alone, so neither the number of workers
    nor an interruption changes a byte. A later call finishes what is missing, and may
    ask for more images.

    Args:
        out (str | Path): The data set's folder.
        num_images (dict): Number of images of the splits 'train' and 'val'.
        seed (int): >= 0.
        size (tuple): (width, height) of the images, pixels.
        max_people (int): People an image, 1 to this many.
        max_overlap (float): Largest share of the smaller of two boxes that the other
            one covers, in (0, 1]; 0.8 makes crowds.
        workers (int): Processes.

    Raises:
        ValueError: A parameter out of range, or ``out`` holds images of other
            parameters.
    """
    positive = dict(max_people=max_people, workers=workers, **num_images)
    for name, value in positive.items():
        if value < 1:
            raise ValueError(f'{name} should be at least 1, got {value}')
    if seed < 0 or min(size) < 32:
        raise ValueError(
            f'expected seed >= 0 and a size of at least 32 x 32, got {seed=}, {size=}'
        )
    if not 0 < max_overlap <= 1:
        raise ValueError(f'max_overlap should be above 0 and at most 1: {max_overlap}')
    out = Path(out)
    parameters = dict(
        seed=seed, size=list(size), max_people=max_people, max_overlap=max_overlap
    )
    check_manifest(
        out,
        dict(generator_version=GENERATOR_VERSION, **parameters),
        max_overlap=MAX_OVERLAP,  # older manifests lack it, as it was fixed
    )
    for split, count in num_images.items():
        records = out / 'records' / f'{split}.jsonl'
        images = out / 'images' / split
        records.parent.mkdir(exist_ok=True)
        images.mkdir(parents=True, exist_ok=True)
        people = read_records(records)
        missing = [
            i
            for i in range(count)
            if i not in people or not image_path(images, i).exists()
        ]
        draw = partial(
            generate_image,
            seed,
            STREAMS[split],
            size=tuple(size),
            max_people=max_people,
            max_overlap=max_overlap,
        )
        job = partial(write_image, images, draw)
        with records.open('a') as journal:
            for i, annotations in run(job, missing, workers, f'{out.name}/{split}'):
                people[i] = annotations
                append_json_lines(journal, [[i, annotations]])
        coco = to_coco([people[i] for i in range(count)], size)
        with_people = bool(coco['annotations'])
        (out / 'annotations').mkdir(exist_ok=True)
        # the records may have been damaged since
        check_annotations(coco, str(records), len(KEYPOINTS), True, with_people)
        write_atomically(out / 'annotations' / f'{split}.json', json.dumps(coco))


def check_manifest(folder: Path, parameters: dict, **defaults) -> None:
    """Record the parameters of a new data set or compare those of an existing one.

    Args:
        folder (Path): The data set's; created.
        parameters (dict): As JSON gives them back.
        **defaults: Of those that older manifests lack.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / 'manifest.json'
    if not path.exists():
        if any(not found.name.startswith('.') for found in folder.iterdir()):
            raise ValueError(f'{folder}: is not empty, and not of our making')
        write_atomically(path, json.dumps(parameters))
    found = defaults | read_object(path)
    if found != parameters:
        raise ValueError(
            f'{path}: holds a data set of other parameters ({found}, asked for '
            f'{parameters}); remove the folder or choose another one'
        )


def image_path(folder: Path, index: int) -> Path:
    """Where image ``index`` of a split lies."""
    return folder / f'{index:06d}.jpg'


def read_records(path: Path) -> dict:
    """Annotations by image index, without lines that a kill left unfinished.

    Raises:
        ValueError: There are lines of something else.
    """
    people = read_json_pairs(path)
    for annotation in chain.from_iterable(people.values()):
        check_object(annotation, str(path), bbox=list, keypoints=list)
    return people


def run(job, indices: list, workers: int, description: str, chunk: int = 8):
    """Yield the job's results in order, with a progress bar; no bar for no work."""
    if not indices:
        return
    shown = partial(track, total=len(indices), description=description)
    if workers == 1:
        yield from shown(map(job, indices))
        return
    # one thread a worker; set here, as OpenCV's pool of threads does not survive a fork
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with ProcessPoolExecutor(workers) as pool:
            yield from shown(pool.map(job, indices, chunksize=chunk))
    finally:
        cv2.setNumThreads(threads)


def write_image(folder, draw, index) -> tuple:
    """Draw one image to its file; returns its index and annotations."""
    image, annotations, _ = draw(index)
    _, encoded = cv2.imencode('.jpg', image, (cv2.IMWRITE_JPEG_QUALITY, 95))
    write_atomically(image_path(folder, index), encoded.tobytes())
    return index, annotations


def to_coco(people: list, size) -> dict:
    """COCO's dictionary from the annotations of each image; ids start at 1."""
    width, height = size
    category = dict(
        id=1,
        name='person',
        supercategory='person',
        keypoints=KEYPOINTS,
        skeleton=SKELETON,
    )
    images, annotations = [], []
    for i, group in enumerate(people):
        name = image_path(Path(), i).name
        images.append(dict(id=i + 1, file_name=name, width=width, height=height))
        for person in group:
            ids = dict(id=len(annotations) + 1, image_id=i + 1, category_id=1)
            annotations.append(ids | person)
    return dict(images=images, annotations=annotations, categories=[category])
