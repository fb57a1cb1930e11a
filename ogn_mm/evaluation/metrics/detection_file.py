import json
import shutil
from pathlib import Path

from mmdet.registry import METRICS
from mmengine.dist import get_rank
from mmengine.evaluator import BaseMetric

from ogn_mm.engine.atomic_write import write_atomically
from ogn_mm.engine.json_files import Records
from ogn_mm.engine.json_lines import append_json_lines, read_json_pairs


def journal_folder(out_file) -> Path:
    """Where the detections of images lie until all of them are there."""
    return Path(f'{out_file}.parts')


def read_journal(folder) -> dict:
    """What the journals of all processes and runs hold.

    Args:
        folder (str | Path): As :func:`journal_folder` gives it; may be missing.

    Returns:
        dict: By image id, a list of [x, y, w, h, score]. Lines that a kill left
        unfinished are left out.

    Raises:
        ValueError: A journal holds something else.
    """
    people = {}
    for path in sorted(Path(folder).glob('*.jsonl')):
        found = read_json_pairs(path)
        rows = [dict(row=row) for rows in found.values() for row in rows]
        Records(rows, 'detection', str(path)).numbers('row', 5)
        people |= found
    return people


def write_detections(out_file, image_ids, category_id: int) -> int:
    """Make COCO's detection file from the journals, in one piece, and remove them.

    Args:
        out_file (str | Path): JSON file to write.
        image_ids (Iterable): The images, in the file's order.
        category_id (int): Of the people, in the images' annotation file.

    Returns:
        int: The number of detections.

    Raises:
        ValueError: The journals lack an image.
    """
    folder = journal_folder(out_file)
    people = read_journal(folder)
    missing = [image_id for image_id in image_ids if image_id not in people]
    if missing:
        raise ValueError(
            f'{folder}: lacks {len(missing)} images, among them id {missing[0]}'
        )
    detections = [
        dict(image_id=image_id, category_id=category_id, bbox=row[:4], score=row[4])
        for image_id in image_ids
        for row in people[image_id]
    ]
    content = json.dumps(detections, separators=(',', ':'))
    write_atomically(out_file, content, durable=True)  # the journals go now
    shutil.rmtree(folder)
    return len(detections)


def to_rows(instances) -> list:
    """People as [x, y, w, h, score], to 0.01 pixels and 5 digits.

    Args:
        instances (dict): MMDetection's ``pred_instances``; label 0 is the person.
    """
    person = instances['labels'] == 0
    boxes = instances['bboxes'][person].double().cpu()
    boxes[:, 2:] -= boxes[:, :2]
    scores = instances['scores'][person].double().cpu()
    return [
        [round(value, 2) for value in box] + [round(score, 5)]
        for box, score in zip(boxes.tolist(), scores.tolist(), strict=True)
    ]


@METRICS.register_module()
class DetectionFile(BaseMetric):
    """Journal the people found in each image, as they are found.

    Each process appends a line for every image to a file of its own beside
    ``out_file`` (see :func:`journal_folder`); after a kill nothing but the batch at
    hand is lost. :func:`write_detections` makes the file of them.

    Args:
        out_file (str): The detection file that is being made.

    The only figure is ``detections/images``, the number of images of this run.
    """

    default_prefix = 'detections'

    def __init__(self, out_file: str):
        super().__init__(collect_device='cpu')
        folder = journal_folder(out_file)
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f'rank{get_rank()}.jsonl'

    def process(self, data_batch, data_samples):
        people = [
            [sample['img_id'], to_rows(sample['pred_instances'])]
            for sample in data_samples
        ]
        with self.path.open('a') as journal:
            append_json_lines(journal, people)
        self.results += [sample['img_id'] for sample in data_samples]

    def compute_metrics(self, results):
        return dict(images=len(results))
