"""Journals of detections: what is read back after unfinished writing."""

import json

import pytest
import torch

from ogn_mm.evaluation.metrics.detection_file import (
    DetectionFile,
    journal_folder,
    read_journal,
    to_rows,
    write_detections,
)


def sample(image_id, boxes, scores, labels=None):
    labels = [0] * len(scores) if labels is None else labels
    return dict(
        img_id=image_id,
        pred_instances=dict(
            bboxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
            scores=torch.tensor(scores),
            labels=torch.tensor(labels, dtype=torch.long),
        ),
    )


def test_rows_by_hand():
    """x, y, width, height; people alone, rounded; the predictions are left alone."""
    found = sample(1, [[1, 2, 4.5, 8.126], [0, 0, 9, 9]], [0.1234567, 0.9], [0, 3])
    before = found['pred_instances']['bboxes'].clone()
    assert to_rows(found['pred_instances']) == [[1.0, 2.0, 3.5, 6.13, 0.12346]]
    assert torch.equal(found['pred_instances']['bboxes'], before)


def test_journal_and_file(tmp_path):
    """Order is that of the images; an image without people has no detections."""
    out = tmp_path / 'out.json'
    metric = DetectionFile(str(out))
    metric.process({}, [sample(3, [[0, 0, 2, 2]], [0.5]), sample(1, [], [])])
    metric.process({}, [sample(2, [[1, 1, 2, 3], [0, 0, 1, 1]], [0.75, 0.25])])
    assert metric.evaluate(3) == {'detections/images': 3}
    assert not out.exists() and read_journal(journal_folder(out)).keys() == {1, 2, 3}
    assert write_detections(out, [1, 2, 3], 7) == 3
    assert json.loads(out.read_text()) == [
        dict(image_id=2, category_id=7, bbox=[1, 1, 1, 2], score=0.75),
        dict(image_id=2, category_id=7, bbox=[0, 0, 1, 1], score=0.25),
        dict(image_id=3, category_id=7, bbox=[0, 0, 2, 2], score=0.5),
    ]
    assert not journal_folder(out).exists()


@pytest.mark.parametrize('cut', range(1, 20))
def test_cut_off_anywhere(tmp_path, cut):
    """A kill costs the line at hand alone, also if the journal goes on after it."""
    out = tmp_path / 'out.json'
    metric = DetectionFile(str(out))
    for image_id in (1, 2):
        metric.process({}, [sample(image_id, [[0, 0, 2, 2]], [0.5])])
    metric.path.write_text(metric.path.read_text()[:-cut])
    metric.process({}, [sample(3, [[0, 0, 2, 2]], [0.5])])
    found = read_journal(journal_folder(out))
    # the last character is the line's end
    assert found.keys() == ({1, 2, 3} if cut == 1 else {1, 3})
    if cut > 1:
        with pytest.raises(ValueError, match='lacks 1 images, among them id 2'):
            write_detections(out, [1, 2, 3], 7)
        assert not out.exists() and journal_folder(out).exists()
